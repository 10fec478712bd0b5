-- wrk's script: another user at each request, and what was measured as one line of JSON behind the rest.
--     wrk ... -s users.lua ADDRESS -- /users/
local prefix
function init(arguments)
  prefix = arguments[1]
  math.randomseed(42)
end
function request()
  return wrk.format("GET", prefix .. math.random(1, 100000))
end
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n@@{"requests":%d,"micros":%d,"bytes":%d,"p50":%d,"p99":%d,"max":%d,"errors":%d}\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99), latency.max,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
