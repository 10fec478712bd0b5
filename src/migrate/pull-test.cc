#include "migrate/pull.h"
