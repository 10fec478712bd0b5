#include "modules.h"

#include <algorithm>

namespace schemascript::guest {

void Modules::add(std::string_view name, std::string_view source) {
  names_.emplace_back(name);
  sources_.emplace_back(source);
}

void Modules::install(JSRuntime* runtime) {
  // A specifier is a name and nothing else; there are no paths in here to resolve it against.
  const auto normalize = [](JSContext* context, const char*, const char* name, void*) {
    return js_strdup(context, name);
  };
  JS_SetModuleLoaderFunc(runtime, normalize, load, this);
}

void Modules::dropSources() {
  sources_.clear();
  sources_.shrink_to_fit();
}

JSModuleDef* Modules::load(JSContext* context, const char* name, void* self) {
  auto& modules = *static_cast<Modules*>(self);
  const auto found = std::find(modules.names_.begin(), modules.names_.end(), name);
  const std::size_t index = found - modules.names_.begin();
  if (index >= modules.sources_.size()) {
    JS_ThrowReferenceError(context,
                           "module '%s' is not part of the bundle; only what is imported by a "
                           "constant name can be bundled",
                           name);
    return nullptr;
  }
  const std::string& source = modules.sources_[index];
  const JSValue compiled = JS_Eval(context, source.c_str(), source.size(), name,
                                   JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
  if (JS_IsException(compiled)) return nullptr;
  auto* const definition = static_cast<JSModuleDef*>(JS_VALUE_GET_PTR(compiled));
  JS_FreeValue(context, compiled);  // The context holds on to its modules.
  return definition;
}

}  // namespace schemascript::guest
