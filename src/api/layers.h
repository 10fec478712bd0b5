// The layers below, for the files of this folder. The public API has names of its own for some of
// the same things: those of the layers are `layers::App` and so on, the plain ones are the public
// ones. That works only while the layers' headers come before the public one, so nothing here
// includes either of them but through this file.
#pragma once

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/units.h"
#include "database/capabilities.h"
#include "database/connection-pool.h"
#include "migrate/push.h"
#include "runtime/app.h"
#include "runtime/guest-options.h"
#include "runtime/run.h"
#include "runtime/workers.h"
#include "sandbox/engine.h"
#include "sandbox/watchdog.h"

namespace schemascript::layers {

using schemascript::App;
using schemascript::AppOptions;
using schemascript::Capabilities;
using schemascript::Database;
using schemascript::DatabaseOptions;
using schemascript::Error;
using schemascript::ErrorCode;
using schemascript::Isolation;
using schemascript::LogSink;
using schemascript::LogStream;
using schemascript::PushResult;

}  // namespace schemascript::layers

#include "schemascript/schemascript.h"
