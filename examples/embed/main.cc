// An app inside of a C++ program: opens a database, creates the app's tables, and calls one of its
// functions.
#include <schemascript/schemascript.h>

#include <iostream>

int main(int count, char** words) try {
  const std::string folder = count > 1 ? words[1] : ".";
  const schemascript::Runtime runtime;
  const auto database = runtime.open(folder + "/embed.db");
  const auto app = runtime.loadFile(folder + "/app.js");
  database.push(app);

  const auto answer = app.call(database, "visit", R"({"name":"Ada"})");
  for (const auto& entry : answer.log) std::cout << "app: " << entry.text;
  std::cout << answer.result << '\n';

  // Bytes in, bytes out.
  const auto bytes = app.call(database, "reversed", schemascript::Argument::bytes("abc"));
  std::cout << bytes.result << '\n';

  // Without waiting.
  auto later = app.callAsync(database, "visit", R"({"name":"Bob"})");
  std::cout << later.get().result << '\n';
  return 0;
} catch (const schemascript::Error& error) {
  std::cerr << nameOf(error.code()) << ": " << error.what() << '\n';
  return 1;
}
