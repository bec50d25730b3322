// What this machine is: named where times were measured on it.
#pragma once

#include <string>

namespace traincast {

/// "Intel(R) Xeon(R) Processor @ 2.50GHz", as the kernel names it; "unknown processor" where it does not.
std::string processor_name();
unsigned processor_count();
/// Load average of the last minute.
double load_average();
/// Bytes that a program can still take.
double available_memory();
/// Peak resident size of this process, in bytes.
double peak_memory();

}  // namespace traincast
