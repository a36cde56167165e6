"""Where the installed clients are, and how to run one by itself."""
import pathlib
import platform
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
MODULES = HERE / "node_modules"
CPU = {"x86_64": "x64", "aarch64": "arm64"}[platform.machine()]


def installed(path):
    """The file of an installed package; tests/run installs them."""
    found = MODULES / path
    if not found.exists():
        raise AssertionError(f"{found} is missing: run tests/run, or "
                             "npm ci --ignore-scripts in tests/e2e")
    return found


def node():
    """The node of the lock file."""
    return installed(f"node-linux-{CPU}/bin/node")


def run(argv, folder, env, deadline=120):
    """Runs a client in an environment of nothing but `env`."""
    tools = folder / "bin"
    tools.mkdir(exist_ok=True)
    if not (tools / "node").exists():
        (tools / "node").symlink_to(node())
    full = {"PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin",
            "LC_ALL": "C.UTF-8", "TMPDIR": str(folder), **env}
    return subprocess.run(
        [str(word) for word in argv], cwd=folder, env=full, text=True,
        stdin=subprocess.DEVNULL, capture_output=True, timeout=deadline,
        errors="replace", start_new_session=True)
