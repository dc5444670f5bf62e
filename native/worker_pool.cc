#include "worker_pool.h"

#include <algorithm>
#include <utility>

namespace larder {

std::size_t WorkerPool::defaultThreadCount() {
  std::size_t const hardware = std::thread::hardware_concurrency();
  return std::max<std::size_t>(hardware, 2) - 1;
}

void WorkerPool::add(PoolWork work) {
  auto queued = std::make_shared<Queued>();
  queued->work = std::move(work);
  std::size_t const sliceCount = queued->work.sliceCount;
  {
    std::lock_guard const lock(mutex_);
    start();
    queue_.push_back(std::move(queued));
  }
  if (sliceCount == 1) {
    isThereWork_.notify_one();
  } else {
    isThereWork_.notify_all();
  }
}

// One thread is enough to go on with, where the system gives no more.
void WorkerPool::start() {
  while (threads_.size() < threadCount_) {
    try {
      threads_.emplace_back([this] { runSlices(); });
    } catch (...) {
      if (threads_.empty()) throw;
      return;
    }
  }
}

void WorkerPool::runSlices() {
  std::unique_lock lock(mutex_);
  for (;;) {
    isThereWork_.wait(lock, [this] { return isStopping_ || !queue_.empty(); });
    if (isStopping_) return;
    std::shared_ptr<Queued> const queued = queue_.front();
    queue_.pop_front();
    std::size_t const slice = queued->nextSlice++;
    if (queued->nextSlice < queued->work.sliceCount) queue_.push_back(queued);
    lock.unlock();
    queued->work.runSlice(slice);
    lock.lock();
    if (++queued->endedCount < queued->work.sliceCount) continue;
    lock.unlock();
    queued->work.done();
    lock.lock();
  }
}

void WorkerPool::stop() {
  {
    std::lock_guard const lock(mutex_);
    isStopping_ = true;
  }
  isThereWork_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  queue_.clear();
}

}  // namespace larder
