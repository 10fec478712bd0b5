// The configurations in examples/deploy are taken by the programs that they are for, where those are installed.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

const top = join(dirname(fileURLToPath(import.meta.url)), "..");
const read = (name) => readFileSync(join(top, "examples/deploy", name), "utf8");
const names = {
  nginx: process.env.NGINX_PROGRAM ?? "nginx",
  caddy: process.env.CADDY_PROGRAM ?? "caddy",
};

/** Why a test cannot be made here; false: it can. */
function lacks(program, versionOption) {
  return spawnSync(program, [versionOption]).error === undefined
    ? false
    : `${program} is not installed`;
}

/** A folder with a certificate of its own, which is what `text` names then. */
function withFolder(use) {
  const folder = mkdtempSync(join(tmpdir(), "deploy-"));
  try {
    const made = spawnSync(
      "openssl",
      ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"].concat(
        ["-days", "1", "-subj", "/CN=app.example.com"],
        ["-keyout", join(folder, "privkey.pem"), "-out", join(folder, "fullchain.pem")],
      ),
      { encoding: "utf8" },
    );
    assert.equal(made.status, 0, made.stderr);
    use(folder, (text) => text.replaceAll("/etc/schemascript/tls", folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("nginx takes its configuration", { skip: lacks(names.nginx, "-v") }, () => {
  withFolder((folder, adapt) => {
    mkdirSync(join(folder, "temporary"));
    const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    const paths = kinds.map((kind) => `${kind}_temp_path ${folder}/temporary/${kind};`);
    const text = adapt(read("nginx.conf"))
      .replace("\nhttp {", `\nhttp {\n${paths.join("\n")}\naccess_log off;`)
      // Ports that anybody may have.
      .replace(/(listen (?:\[::\]:)?)(80|443)\b/g, "$118$2");
    const file = join(folder, "nginx.conf");
    writeFileSync(file, text);
    const global = `pid ${folder}/pid;`;
    const options = ["-t", "-p", folder, "-e", "stderr", "-c", file, "-g", global];
    const result = spawnSync(names.nginx, options, { encoding: "utf8" });
    assert.equal(result.status, 0, result.stderr);
    assert.doesNotMatch(result.stderr, /\[warn\].*(?:deprecated|conflicting)/);
  });
});

test("Caddy takes its configuration", { skip: lacks(names.caddy, "version") }, () => {
  withFolder((folder, adapt) => {
    const file = join(folder, "Caddyfile");
    writeFileSync(file, adapt(read("Caddyfile")));
    const result = spawnSync(
      names.caddy,
      ["validate", "--adapter", "caddyfile", "--config", file],
      { encoding: "utf8", env: { ...process.env, HOME: folder } },
    );
    assert.equal(result.status, 0, result.stderr);
  });
});

const noSystemd = lacks("systemd-analyze", "--version");
test("systemd takes the unit", { skip: noSystemd }, () => {
  withFolder((folder) => {
    const file = join(folder, "schemascript.service");
    // Verified is also that the program is there.
    writeFileSync(
      file,
      read("schemascript.service").replaceAll("/usr/local/bin/schemascript", "/bin/true"),
    );
    const result = spawnSync("systemd-analyze", ["verify", "--man=no", file], { encoding: "utf8" });
    assert.equal(result.status, 0, result.stderr);
    assert.doesNotMatch(result.stderr, new RegExp(file.replaceAll(".", "\\.")));
  });
});

test("what must fit together does", () => {
  const unit = read("schemascript.service");
  const seconds = (text, pattern) => Number(pattern.exec(text)?.[1]);
  assert.ok(seconds(unit, /TimeoutStopSec=(\d+)s/) > seconds(unit, /--grace (\d+)s/));
  const schema = JSON.parse(readFileSync(join(top, "docs/schemascript.schema.json"), "utf8"));
  const limits = schema.properties.limits.properties;
  const milliseconds = (text) =>
    parseInt(text) * { ms: 1, s: 1000, m: 60_000 }[text.replace(/\d+/, "")];
  const of = (name) => milliseconds(limits[name].default);
  const nginx = read("nginx.conf");
  const caddy = read("Caddyfile");
  for (const [text, kept, answered] of [
    [nginx, /keepalive_timeout (\d+)s/, /proxy_read_timeout (\d+)s/],
    [caddy, /keepalive (\d+)s/, /response_header_timeout (\d+)s/],
  ]) {
    assert.ok(seconds(text, kept) * 1000 < of("idleTimeMax"));
    assert.ok(seconds(text, answered) * 1000 > of("runTimeMax") + of("queueTimeMax"));
  }
  assert.equal(limits.bodyBytesMax.default, "32mb");
  assert.match(nginx, /client_max_body_size 32m;/);
  assert.match(caddy, /max_size 32MiB/);
});

test("the guide's configurations are those that are tested", () => {
  const guide = readFileSync(join(top, "docs/deploy.md"), "utf8");
  for (const name of ["nginx.conf", "Caddyfile", "schemascript.service", "Containerfile"]) {
    assert.ok(guide.includes("\n" + read(name).trimEnd() + "\n```"), name);
  }
});
