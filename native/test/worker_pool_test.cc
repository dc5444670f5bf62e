// The pool: every slice once, every end once, small work between the slices of big work, and a stop
// that waits for what runs and drops the rest.
#include "worker_pool.h"

#include <atomic>
#include <future>
#include <string>
#include <vector>

#include "lightgbm_example.h"

using larder::WorkerPool;
using larder::lightgbm::test::check;

namespace {

void testEverySliceOnce() {
  constexpr std::size_t kWorks = 200;
  WorkerPool pool(4);
  std::vector<std::vector<std::atomic<int>>> runs;
  std::vector<std::promise<void>> ends(kWorks);
  for (std::size_t i = 0; i < kWorks; ++i) runs.emplace_back(1 + i % 17);
  for (std::size_t i = 0; i < kWorks; ++i) {
    pool.add({runs[i].size(), [&runs, i](std::size_t slice) { ++runs[i][slice]; },
              [&ends, i] { ends[i].set_value(); }});  // a second call would throw
  }
  for (std::size_t i = 0; i < kWorks; ++i) {
    ends[i].get_future().wait();
    for (auto const& count : runs[i]) check(count == 1, "work " + std::to_string(i));
  }
}

// One thread: what comes second would otherwise wait for all slices of what came first.
void testSmallBetweenSlicesOfBig() {
  WorkerPool pool(1);
  std::promise<void> isAdded;
  std::shared_future<void> const added = isAdded.get_future().share();
  std::promise<void> bigEnded;
  std::atomic<int> bigSlices = 0;
  std::atomic<int> bigSlicesBeforeSmall = -1;
  pool.add({100,
            [&](std::size_t) {
              added.wait();
              ++bigSlices;
            },
            [&] { bigEnded.set_value(); }});
  pool.add({1, [&](std::size_t) { bigSlicesBeforeSmall = bigSlices.load(); }, [] {}});
  isAdded.set_value();
  bigEnded.get_future().wait();
  int const before = bigSlicesBeforeSmall;
  check(before >= 1 && before <= 2, "small work waited for " + std::to_string(before) + " slices");
}

// How many slices run before the thread sees the stop is up to it; none may be cut off or run
// after.
void testStop() {
  std::promise<void> isRunning;
  std::promise<void> mayEnd;
  std::shared_future<void> const ending = mayEnd.get_future().share();
  std::atomic<int> begun = 0;
  std::atomic<int> ended = 0;
  std::atomic<int> worksDone = 0;
  WorkerPool pool(1);
  pool.add({1000,
            [&](std::size_t) {
              if (begun++ == 0) isRunning.set_value();
              ending.wait();
              ++ended;
            },
            [&] { ++worksDone; }});
  isRunning.get_future().wait();
  std::thread release([&] { mayEnd.set_value(); });
  pool.stop();
  int const endedByStop = ended;
  release.join();
  check(endedByStop >= 1 && endedByStop == begun, "what ran was waited for");
  check(ended == endedByStop, "nothing runs after the stop");
  check((worksDone == 1) == (endedByStop == 1000), "only whole work is done");
}

void testIdle() {
  WorkerPool const unused(4);
  check(WorkerPool::defaultThreadCount() >= 1, "at least one thread");
}

}  // namespace

int main() {
  testEverySliceOnce();
  testSmallBetweenSlicesOfBig();
  testStop();
  testIdle();
  std::puts("worker_pool_test: ok");
}
