#include "database/writer-queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/testing.h"

namespace schemascript {
namespace {

void waitUntil(const WriterQueue& queue, std::size_t waiting) {
  while (queue.waitingCount() != waiting) std::this_thread::yield();
}

TEST(WriterQueue, GivesTurnsInTheOrderOfAsking) {
  WriterQueue queue(100);
  Writer first(queue);
  std::optional<WriterTurn> turn(queue.takeTurn(first));
  std::vector<int> order;
  std::vector<std::thread> others;
  for (int i = 0; i < 20; ++i) {
    others.emplace_back([&queue, &order, i] {
      Writer writer(queue);
      const WriterTurn mine = queue.takeTurn(writer);
      order.push_back(i);  // Guarded by the turn.
    });
    waitUntil(queue, static_cast<std::size_t>(i) + 1);
  }
  EXPECT_TRUE(order.empty());
  turn.reset();
  for (std::thread& other : others) other.join();
  std::vector<int> wanted(20);
  for (int i = 0; i < 20; ++i) wanted[static_cast<std::size_t>(i)] = i;
  EXPECT_EQ(order, wanted);
}

TEST(WriterQueue, LetsOneWriteAtATime) {
  WriterQueue queue(100);
  std::atomic<int> writing = 0;
  int turns = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&] {
      Writer writer(queue);
      for (int round = 0; round < 2'000; ++round) {
        const WriterTurn turn = queue.takeTurn(writer);
        EXPECT_EQ(++writing, 1);
        ++turns;
        --writing;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(turns, 16'000);
  EXPECT_EQ(queue.waitingCount(), 0u);
}

TEST(WriterQueue, IsAsLongAsItsLimit) {
  WriterQueue queue(1);
  Writer first(queue), third(queue);
  std::optional<WriterTurn> turn(queue.takeTurn(first));
  std::thread second([&queue] {
    Writer writer(queue);
    queue.takeTurn(writer);
  });
  waitUntil(queue, 1);
  expectError(ErrorCode::Unavailable,
              "1 other waits already to write to this database, which is waitingWritersMax; try "
              "again later",
              [&] { queue.takeTurn(third); });
  turn.reset();
  second.join();
  EXPECT_NO_THROW(queue.takeTurn(third));
}

TEST(WriterQueue, StopsAWaitFromAnotherThread) {
  WriterQueue queue(10);
  Writer first(queue), second(queue), third(queue);
  std::optional<WriterTurn> turn(queue.takeTurn(first));
  std::thread waiting([&] {
    EXPECT_EQ(errorOf([&] { queue.takeTurn(second); }).code(), ErrorCode::LimitExceeded);
  });
  std::thread behind([&] { EXPECT_NO_THROW(queue.takeTurn(third)); });
  waitUntil(queue, 2);
  second.cancel();
  waiting.join();
  EXPECT_EQ(queue.waitingCount(), 1u);
  turn.reset();
  behind.join();
  // Also a wait that begins later.
  turn.emplace(queue.takeTurn(first));
  EXPECT_EQ(errorOf([&] { queue.takeTurn(second); }).code(), ErrorCode::LimitExceeded);
}

TEST(WriterQueue, HandsATurnOnWhenItIsMoved) {
  WriterQueue queue(10);
  Writer first(queue), second(queue);
  {
    WriterTurn turn = queue.takeTurn(first);
    const WriterTurn moved(std::move(turn));
  }
  EXPECT_NO_THROW(queue.takeTurn(second));
}

}  // namespace
}  // namespace schemascript
