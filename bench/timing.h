// What the benchmarks in C++ measure with.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

namespace schemascript {

inline double microsecondsOf(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
      .count();
}

// `part` is from 0 to 1; 0.5 is the median.
inline double quantile(std::vector<double> values, double part) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

}  // namespace schemascript
