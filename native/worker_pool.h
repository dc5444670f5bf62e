// Threads that run what would hold up the thread that asks for it. Plain C++: it knows nothing of
// JavaScript (`pool_promise.h` does).
//
// Work is cut into slices. Idle threads take the next slice of the work that waited longest and put
// it back behind the others, so that small work is done between the slices of big work. Threads are
// started with the first work and wait without cost when there is none.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace larder {

struct PoolWork {
  std::size_t sliceCount;  // at least 1
  // Runs slice 0 to sliceCount - 1, each once, on any thread, several at a time. Must not throw.
  std::function<void(std::size_t slice)> runSlice;
  // Called once, on the thread that ends the last slice. Must not throw.
  std::function<void()> done;
};

class WorkerPool {
 public:
  // The hardware's threads without the one that asks, and at least one.
  static std::size_t defaultThreadCount();

  explicit WorkerPool(std::size_t threadCount) : threadCount_(threadCount) {}
  WorkerPool(WorkerPool const&) = delete;
  WorkerPool& operator=(WorkerPool const&) = delete;
  ~WorkerPool() { stop(); }

  // From any thread. What throws here has queued nothing.
  void add(PoolWork work);
  // Waits for the slices that run, and drops those that do not: their work is never `done`. Nothing
  // may be added afterwards.
  void stop();

 private:
  struct Queued {
    PoolWork work;
    std::size_t nextSlice = 0;
    std::size_t endedCount = 0;
  };

  void start();
  void runSlices();

  std::size_t threadCount_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable isThereWork_;
  bool isStopping_ = false;
  std::deque<std::shared_ptr<Queued>> queue_;  // with slices that no thread has taken
};

}  // namespace larder
