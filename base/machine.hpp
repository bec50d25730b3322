// What this machine is: named where times were measured on it.
#pragma once

#include <string>

namespace traincast {

/// "Intel(R) Xeon(R) Processor @ 2.50GHz", as the kernel names it; "unknown processor" where it does not.
std::string processor_name();
unsigned processor_count();
/// How many processors other work keeps busy now: watched for a fifth of a second. A load average would still
/// tell of a build that has just ended. 0 where the kernel does not say.
double busy_processors();
/// Bytes that a program can still take, of the machine and of the control groups (a container's) that it is
/// in. `root` stands before the paths that the kernel tells them at.
double available_memory(const std::string& root = "");
/// From here on freed memory stays with the process, so that buffers of the same size do not fault their
/// pages in anew: as an implementation that keeps its buffers, for times that are to be those of computing.
void keep_freed_memory();
/// Peak resident size of this process, in bytes.
double peak_memory();

}  // namespace traincast
