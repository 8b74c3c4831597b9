"""Why a service does not come up: facts are gathered first, rules judge them, a report says the causes."""
