#include "runtime/work-queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace schemascript {
namespace {

template <typename Entry>
Entry takeFirst(std::deque<Entry>& list) {
  Entry first = std::move(list.front());
  list.pop_front();
  return first;
}

}  // namespace

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

bool WorkQueue::isReady() { return mayTakeBlocked() || mayTakeTurn(); }

WorkQueue::Work WorkQueue::take() {
  const bool isBlocked = mayTakeBlocked();
  std::deque<Tenant*>& line = isBlocked ? blocked_ : turns_;
  Tenant& tenant = *line.front();
  line.pop_front();
  (isBlocked ? tenant.isBlocked : tenant.hasTurn) = false;
  const bool goesOn =
      !isBlocked && !tenant.ready.empty() && (!tenant.wasReadyLast || !mayBegin(tenant));
  tenant.wasReadyLast = goesOn;
  Work work{.tenant = &tenant};
  if (goesOn) {
    work.call = takeFirst(tenant.ready);
    if (!mayBegin(tenant)) block(tenant);
  } else {
    work.job = takeFirst(tenant.waiting);
    --waiting_;
    ++tenant.open;
    ++open_;
  }
  ++tenant.running;
  ++running_;
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

// Whether the first of those that wait for openMax can begin. They come before all others: they had
// their turn already. Who is at a limit of its own gets another one when it is not any more.
bool WorkQueue::mayTakeBlocked() {
  while (hasRoom() && !blocked_.empty()) {
    Tenant& tenant = *blocked_.front();
    if (isFree(tenant) && mayBegin(tenant)) return true;
    blocked_.pop_front();
    tenant.isBlocked = false;
    giveTurn(tenant);
  }
  return false;
}

bool WorkQueue::mayTakeTurn() {
  while (!turns_.empty()) {
    Tenant& tenant = *turns_.front();
    if (isFree(tenant) && (!tenant.ready.empty() || mayBegin(tenant))) return true;
    turns_.pop_front();
    tenant.hasTurn = false;
    if (isFree(tenant)) block(tenant);
  }
  return false;
}

bool WorkQueue::wantsToBegin(const Tenant& tenant) const noexcept {
  return !tenant.waiting.empty() && tenant.open < openPerKeyMax_;
}

void WorkQueue::block(Tenant& tenant) {
  if (tenant.isBlocked || !wantsToBegin(tenant)) return;
  blocked_.push_back(&tenant);
  tenant.isBlocked = true;
}

void WorkQueue::giveTurn(Tenant& tenant) {
  const bool hasWork = !tenant.ready.empty() || (wantsToBegin(tenant) && !tenant.isBlocked);
  if (tenant.hasTurn || !hasWork || !isFree(tenant)) return;
  turns_.push_back(&tenant);
  tenant.hasTurn = true;
}

}  // namespace schemascript
