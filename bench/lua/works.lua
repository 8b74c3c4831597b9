-- The requests of each work, for wrk. Environment: WORK, IDS (a file with the ids of all posts, oldest first), and for a
-- rate: RATE requests a second over all CONNECTIONS. STATUSES counts the responses by status, which costs wrk some speed.
local format, floor, log, exp, random = wrk.format, math.floor, math.log, math.exp, math.random
local ids, steps = {}, 0
for line in io.lines(os.getenv("IDS")) do ids[#ids + 1] = line end
local json = { ["Content-Type"] = "application/json" }
local users = 1000

local function token(i) return "Bearer blog_bench" .. i end
local function every() -- all posts, none favoured: the step is prime
  steps = (steps + 7919) % #ids
  return steps + 1
end
local function hot() -- the newest 500
  steps = (steps + 1) % math.min(500, #ids)
  return #ids - steps
end
local function zipf() return #ids + 1 - floor(exp(random() * log(#ids))) end -- the newest most, each next less
local function user() steps = steps + 1; return steps % users + 1 end
local function author() steps = steps + 1; return steps % (users / 2) + 1 end
local keys = 0
local run = os.time() .. "-" .. tostring({}):sub(8)
local function key() keys = keys + 1; return "bench-" .. run .. "-" .. keys end

local function get(path) return function() return format("GET", path) end end
local function of_post(pick, suffix) return function() return format("GET", "/v1/posts/" .. ids[pick()] .. (suffix or "")) end end
local function signed(path) return function() return format("GET", path, { Authorization = token(user()) }) end end
local function write(method, path, who, body, idempotency)
  local headers = { Authorization = token(who), ["Content-Type"] = body and "application/json" or nil, ["Idempotency-Key"] = idempotency }
  return format(method, path, headers, body)
end

local comment = '{"body": "A comment with some words, as long as most of them are, and *one* of them stressed."}'
local paragraph = ("Lorem ipsum dolor sit amet, consectetur **adipiscing** elit, sed do eiusmod tempor. "):rep(12)
local body = paragraph .. "\\n\\n## A heading\\n\\n" .. paragraph .. "\\n\\n- one\\n- two\\n\\n" .. paragraph .. paragraph
local function comments_of(post, idempotency)
  return write("POST", "/v1/posts/" .. ids[post] .. "/comments", user(), comment, idempotency)
end
local function like()
  steps = steps + 1
  local turn = floor(steps / 2)
  return write(steps % 2 == 0 and "PUT" or "DELETE", "/v1/posts/" .. ids[turn * 7919 % #ids + 1] .. "/like", turn % users + 1)
end
local function sign_in()
  return format("POST", "/v1/sessions", json, '{"email": "user' .. user() .. '@example.com", "password": "bench-password"}')
end
local function publish()
  return write("POST", "/v1/posts", author(), '{"title": "A new post", "tags": ["tag1", "new"], "status": "published", "body": "' .. body .. '"}')
end
local function edit() -- by the editor
  return write("PATCH", "/v1/posts/" .. ids[every()], 3, '{"body": "Edited ' .. key() .. ". " .. body .. '"}')
end
local function found(word) return "/v1/posts?q=" .. word end
local function search()
  local chance = random()
  return format("GET", found(chance < 0.6 and "onlyin" .. every() or chance < 0.8 and "quartz" or chance < 0.95 and "harbour" or "blog"))
end

local works = {
  health = get("/health"),
  post_hot = of_post(hot), post_all = of_post(every),
  post_slug = function() return format("GET", "/v1/posts/post-" .. every()) end,
  list = get("/v1/posts"), list_likes = get("/v1/posts?sort=-likes"),
  list_tag = get("/v1/posts?tag=tag7"), list_rare_tag = function() return format("GET", "/v1/posts?tag=rare" .. every() % 80 + 1) end,
  comments_hot = of_post(hot, "/comments"), comments_all = of_post(every, "/comments"),
  search_one = function() return format("GET", found("onlyin" .. every())) end,
  search_some = get(found("quartz")), search_all = get(found("blog")), search_phrase = get(found("%22granite+meadow%22")),
  tags = get("/v1/tags?sort=-posts"), feed = get("/feed.xml"), sitemap = get("/sitemap.xml"),
  post_signed = function() return format("GET", "/v1/posts/" .. ids[every()], { Authorization = token(user()) }) end,
  list_signed = signed("/v1/posts"), timeline = signed("/v1/feed"), me = signed("/v1/users/me"),
  sign_in = sign_in, like = like, publish = publish, edit = edit,
  comment = function() return comments_of(every()) end, comment_key = function() return comments_of(every(), key()) end,
}

-- What a blog is asked: 95 of 100 requests are anonymous reads, most of them of what is new.
local mix = {
  { 44, function() return format("GET", "/v1/posts/post-" .. zipf()) end },
  { 14, of_post(zipf, "/comments") }, { 14, works.list }, { 6, function() return format("GET", "/v1/posts?tag=tag" .. every() % 20) end },
  { 2, function() return format("GET", "/v1/posts?tag=topic" .. every() % 500) end },
  { 2, get("/v1/posts?published_before=2020-06-01T00:00:00Z") }, { 3, works.tags }, { 6, works.feed }, { 1, works.sitemap }, { 3, search },
  { 2, function() return format("GET", "/v1/posts/" .. ids[zipf()], { Authorization = token(user()) }) end }, { 0.7, works.timeline }, { 0.35, works.me },
  { 1, like }, { 0.5, function() return comments_of(zipf()) end }, { 0.3, function() return comments_of(zipf(), key()) end },
  { 0.05, sign_in }, { 0.05, publish }, { 0.05, edit },
}
works.mix = function()
  local at = random() * 100
  for i = 1, #mix do
    at = at - mix[i][1]
    if at < 0 then return mix[i][2]() end
  end
  return works.list()
end

if ids[1] == "10001" then -- not ours: WordPress numbers its posts
  local function numbered(path, pick, more) return function() return format("GET", "/wp-json/wp/v2/" .. path .. ids[pick()] .. (more or "")) end end
  works = {
    post_hot = numbered("posts/", hot), post_all = numbered("posts/", every), list = get("/wp-json/wp/v2/posts?per_page=20"),
    comments_hot = numbered("comments?post=", hot, "&per_page=20"), comments_all = numbered("comments?post=", every, "&per_page=20"),
  }
end

local threads = {}
function setup(thread) threads[#threads + 1] = thread end
function init() math.randomseed(tonumber(tostring({}):sub(8)) or 1) end
request = works[os.getenv("WORK")]
local rate, connections = tonumber(os.getenv("RATE")), tonumber(os.getenv("CONNECTIONS"))
if rate > 0 then
  local between = connections / rate * 1000 -- of one connection, in milliseconds
  function delay() return floor(-log(1 - random()) * between) end -- without a memory: so all connections together ask evenly
end
if os.getenv("STATUSES") ~= "" then
  untold = 0 -- 503 without Retry-After
  function response(status, headers)
    local name = "status" .. status
    _G[name] = (_G[name] or 0) + 1
    if status == 503 and not (headers["Retry-After"] or headers["retry-after"]) then untold = untold + 1 end
  end
end
function done(summary, latency)
  local e = summary.errors
  print(("JSON" .. '{"rps": %.1f, "p50": %.3f, "p99": %.3f, "max": %.3f, "requests": %d, "errors": %d, "refused": %d}'):format(
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000, summary.requests,
    e.connect + e.read + e.write + e.timeout + e.status, e.status))
  for _, thread in ipairs(threads) do
    if thread:get("untold") then
      local counts = '{"untold": ' .. thread:get("untold")
      for status = 100, 599 do
        local count = thread:get("status" .. status)
        if count then counts = counts .. ', "' .. status .. '": ' .. count end
      end
      print("STATUSES" .. counts .. "}")
    end
  end
end
