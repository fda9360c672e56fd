-- For wrk: one row a request, drivers in turn, and at the end the figures as JSON.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
-- As long as wrk waits: the default of the two servers in C++ is shorter, and the one in Python has no deadline.
wrk.headers["x-envoy-expected-rq-timeout-ms"] = "10000"
local requests = {}

function init()
  for driver = 1001, 1020 do
    local input = '{"name":"driver_id","datatype":"INT64","shape":[1],"data":[' .. driver .. ']}'
    table.insert(requests, wrk.format(nil, "/v2/models/driver_score/infer", nil, '{"inputs":[' .. input .. ']}'))
  end
end

local asked = 0
function request()
  asked = asked + 1
  return requests[asked % #requests + 1]
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format('{"seconds": %f, "answers": %d, "not_200": %d, "broken": %d, "p50": %f, "p99": %f}',
    summary.duration / 1e6, summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
