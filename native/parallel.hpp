// Runs numbered tasks on a few threads.
#pragma once

#include <atomic>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

namespace voicegauge {

// Calls run(task, worker) once for each task below `tasks`, with `worker` below `workers` and no two calls of one
// worker at a time. Which worker does a task is not fixed, so results must not depend on it. The first exception is rethrown.
template <class Run>
void for_each_task(int tasks, int workers, Run run) {
    std::atomic<int> next{0};
    std::atomic<bool> failed{false};
    std::exception_ptr failure;
    const auto work = [&](int worker) {
        try {
            for (int task = next++; task < tasks; task = next++) run(task, worker);
        } catch (...) {
            next = tasks;
            if (!failed.exchange(true)) failure = std::current_exception();
        }
    };
    std::vector<std::thread> threads;
    try {
        for (int worker = 1; worker < workers && worker < tasks; ++worker) threads.emplace_back(work, worker);
    } catch (const std::system_error&) {
        // The machine gives no more threads: those there are do all the work.
    }
    work(0);
    for (std::thread& thread : threads) thread.join();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace voicegauge
