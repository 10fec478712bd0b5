// What the newest build of an app came to, and the browsers that wait for the next one.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "serve/error-page.h"
#include "serve/service.h"

namespace schemascript {

// Thread-safe.
class NewestBuild {
 public:
  NewestBuild();

  // `problem`: why there is no app, for people; empty when there is one. Tells all who listen.
  void set(std::string problem);
  bool hasProblem() const;

  // Answers what is asked on kEventsPath; false for everything else.
  bool tryAnswer(const std::shared_ptr<HttpExchange>& exchange);
  // The answer to a request that failed. `why`: as ServiceOptions::failurePage has it.
  HostAnswer answerFailure(const HttpRequest& request, int status, std::string_view why) const;

  // Nobody is told anything any more, so that the server can end.
  void end();

 private:
  using Listeners = std::vector<std::shared_ptr<HttpExchange>>;

  std::string name() const;  // With mutex_ held.
  void listen(const std::shared_ptr<HttpExchange>& exchange);
  void forget(const HttpExchange* exchange);

  const std::string process_;  // So that no two builds of two processes have one name.
  mutable std::mutex mutex_;   // Guards what follows. Not held while an exchange is called.
  std::uint64_t count_ = 0;
  std::string problem_;
  Listeners listeners_;
  bool isEnding_ = false;
};

}  // namespace schemascript
