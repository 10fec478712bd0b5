#include "runtime/work-queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace schemascript {

WorkQueue::WorkQueue(const WorkersOptions& options)
    : queueMax_(options.queueMax),
      runningPerKeyMax_(options.runningPerKeyMax == 0 ? options.threads : options.runningPerKeyMax),
      waitingPerKeyMax_(options.waitingPerKeyMax == 0 ? options.queueMax
                                                      : options.waitingPerKeyMax),
      openMax_(options.openMax),
      openPerKeyMax_(options.openPerKeyMax == 0 ? options.openMax : options.openPerKeyMax) {}

bool WorkQueue::tryAdd(Job& job) {
  if (waiting_ >= queueMax_ || stopped_) return false;
  Tenant& tenant = tenants_[job.key];
  if (tenant.waiting.size() >= waitingPerKeyMax_) return false;
  if (tenant.key.empty()) tenant.key = job.key;
  tenant.waiting.push_back({std::move(job), std::chrono::steady_clock::now()});
  ++waiting_;
  giveTurn(tenant);
  return true;
}

void WorkQueue::resume(Tenant& tenant, std::shared_ptr<OpenCall> call) {
  tenant.ready.push_back(std::move(call));
  giveTurn(tenant);
}

bool WorkQueue::isReady() {
  while (!turns_.empty() && !mayRun(*turns_.front())) {
    Tenant& tenant = *turns_.front();
    turns_.pop_front();
    tenant.hasTurn = false;
    tenant.isBlocked = true;
    blocked_.push_back(&tenant);
  }
  return !turns_.empty();
}

WorkQueue::Work WorkQueue::take() {
  Tenant& tenant = *turns_.front();
  turns_.pop_front();
  tenant.hasTurn = false;
  ++tenant.running;
  ++running_;
  Work work{.tenant = &tenant};
  const bool isReady = !tenant.ready.empty() && (!tenant.wasReadyLast || !mayBegin(tenant));
  tenant.wasReadyLast = isReady;
  if (isReady) {
    work.call = std::move(tenant.ready.front());
    tenant.ready.pop_front();
  } else {
    work.job = std::move(tenant.waiting.front());
    tenant.waiting.pop_front();
    --waiting_;
    ++tenant.open;
    ++open_;
  }
  giveTurn(tenant);
  return work;
}

void WorkQueue::park(Tenant& tenant) {
  --tenant.running;
  --running_;
  giveTurn(tenant);
}

void WorkQueue::end(Tenant& tenant) {
  --tenant.open;
  --open_;
  // One can begin now.
  for (bool isGiven = false; !isGiven && !blocked_.empty();) {
    Tenant& next = *blocked_.front();
    blocked_.pop_front();
    next.isBlocked = false;
    giveTurn(next);
    isGiven = next.hasTurn;
  }
  park(tenant);
  const bool isGone = tenant.open == 0 && tenant.waiting.empty();
  if (isGone) tenants_.erase(tenants_.find(tenant.key));
}

std::vector<QueuedJob> WorkQueue::takeWaiting() {
  std::vector<QueuedJob> all;
  for (auto& [key, tenant] : tenants_) {
    std::ranges::move(tenant.waiting, std::back_inserter(all));
    tenant.waiting.clear();
  }
  tenants_.clear();
  turns_.clear();
  blocked_.clear();
  waiting_ = 0;
  return all;
}

bool WorkQueue::mayRun(const Tenant& tenant) const noexcept {
  return !tenant.ready.empty() || mayBegin(tenant);
}

bool WorkQueue::mayBegin(const Tenant& tenant) const noexcept {
  return !stopped_ && !tenant.waiting.empty() && tenant.open < openPerKeyMax_ && open_ < openMax_;
}

void WorkQueue::giveTurn(Tenant& tenant) {
  const bool hasWork =
      !tenant.ready.empty() || (!tenant.waiting.empty() && tenant.open < openPerKeyMax_);
  if (tenant.hasTurn || !hasWork || tenant.running >= runningPerKeyMax_) return;
  // Those that wait for openMax need not, once a call of theirs can go on.
  if (tenant.isBlocked) {
    if (tenant.ready.empty()) return;
    std::erase(blocked_, &tenant);
    tenant.isBlocked = false;
  }
  turns_.push_back(&tenant);
  tenant.hasTurn = true;
}

}  // namespace schemascript
