-- Another user in each request.
math.randomseed(42)
request = function()
  return wrk.format("GET", wrk.path .. math.random(1, 100000))
end
