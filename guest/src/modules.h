// The modules that are built into the guest. The host adds their sources while it makes the base
// snapshot; an app finds them evaluated, and can load nothing else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "js.h"

namespace schemascript::guest {

class Modules {
 public:
  void add(std::string_view name, std::string_view source);
  // Makes the engine ask this table for modules; it must live as long as the engine.
  void install(JSRuntime* runtime);
  // Names in the order of adding.
  const std::vector<std::string>& names() const noexcept { return names_; }
  // Sources are not needed once every module is evaluated.
  void dropSources();

 private:
  static JSModuleDef* load(JSContext* context, const char* name, void* self);

  std::vector<std::string> names_;
  std::vector<std::string> sources_;
};

}  // namespace schemascript::guest
