using Workerd = import "/workerd/workerd.capnp";

# Beside the bundles, where bench/suite/setup.mjs copies it to. The port is given on the command line.
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "disk", disk = (writable = true)),
  ],
  sockets = [(name = "http", http = (), service = "main")],
);

const main :Workerd.Worker = (
  compatibilityDate = "2025-06-01",
  compatibilityFlags = ["nodejs_compat", "experimental"],
  modules = [(name = "worker.mjs", esModule = embed "worker.mjs")],
  durableObjectNamespaces = [
    (className = "Store", uniqueKey = "bench-store", enableSql = true, preventEviction = true),
  ],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [
    (name = "STORE", durableObjectNamespace = "Store"),
    (name = "LOADER", workerLoader = ()),
    (name = "TENANT", text = embed "tenant.mjs"),
  ],
);
