//! What people, browsers, crawlers and proxies send that is not quite what was meant, and what they are told.
