// Build tool: makes the base snapshot. It starts an empty guest, gives it the built-in modules,
// lets it evaluate them, and writes what its memory then holds.
//
//   make-snapshot FOLDER MODULES
//
// FOLDER has guest.so and park.so, and receives base.snapshot. MODULES has manifest.json,
// {"modules": [{"name", "file"}, ...]} in the order of evaluation, and those files.
#include <boost/json.hpp>
#include <cstdio>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "bridge/session.h"
#include "database/connection-pool.h"
#include "sandbox/engine.h"
#include "sandbox/instance.h"

namespace schemascript {
namespace {

void makeSnapshot(const std::string& folder, const std::string& modules) {
  EngineFiles files = EngineFiles::in(folder);
  const std::string output = std::exchange(files.snapshot, "");
  const Engine engine(files);
  ConnectionPool pool({});
  Session session(pool, {.limits = {},
                         .queriesRefusedBecause = "there is no database in the base snapshot",
                         .pusher = {}});
  const auto log = [](LogStream, std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
  };
  Instance instance(engine, nullptr, {.limits = {}, .log = log, .world = World::Frozen});
  instance.attach(&session);
  instance.open();
  const auto manifest = boost::json::parse(readFile(modules + "/manifest.json"));
  for (const auto& entry : manifest.at("modules").as_array()) {
    const std::string file(entry.at("file").as_string());
    instance.addModule(entry.at("name").as_string(), readFile(modules + '/' + file));
  }
  if (!instance.seal()) throw internal("a built-in module failed: " + instance.failure());
  instance.snapshot(engine.identity()).writeTo(output);
}

}  // namespace
}  // namespace schemascript

int main(int count, char** words) {
  if (count != 3) {
    std::fprintf(stderr, "usage: make-snapshot FOLDER MODULES\n");
    return 2;
  }
  try {
    schemascript::GuestThread::run([&] { schemascript::makeSnapshot(words[1], words[2]); });
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make-snapshot: %s\n", error.what());
    return 1;
  }
}
