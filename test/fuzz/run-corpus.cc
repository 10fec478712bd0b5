// Stands in for libFuzzer: gives each file of the folders that are named to the target, once. A
// target ends the process when what it claims does not hold.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* first, std::size_t size);

namespace {

std::vector<std::filesystem::path> filesIn(const char* folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void runFile(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(in)), {});
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

int main(int count, char** arguments) {
  std::size_t run = 0;
  std::filesystem::path present;
  try {
    for (int i = 1; i < count; ++i) {
      for (const auto& file : filesIn(arguments[i])) {
        present = file;
        runFile(file);
        ++run;
      }
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", present.c_str(), error.what());
    return 1;
  }
  std::printf("%zu files\n", run);
  return run == 0 ? 1 : 0;
}
