"""Runs a Pulumi program in the project's own Python; the language host starts it as a script.

Arguments: one JSON object with monitor, engine, project, root, stack, organization, pwd, dry_run, parallel,
program and args. The configuration comes in the variables that the SDK reads. It exits with 0 when the
program is done, with SHOWN when it failed and the user has been told why, otherwise with the program's own code.
"""

import asyncio
import json
import logging
import os
import runpy
import signal
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

# The language host's code for "the user has been told".
SHOWN = 32

# What the SDK raises when the engine has given up; the engine has said why.
ENGINE_GONE = ("resource monitor shut down", "Resource monitor has terminated, shutting down")


def main() -> int:
    """Run the program; return the process's exit code."""
    here = os.path.dirname(os.path.abspath(__file__))
    # The program must not find this script's neighbours before its own modules.
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != here]
    try:
        import pulumi
        import pulumi.runtime
    except ImportError as error:
        print(
            f"{sys.executable} cannot import the Pulumi SDK ({error}); "
            f"run: {sys.executable} -m pip install -r requirements.txt",
            file=sys.stderr,
        )
        return SHOWN

    given = json.loads(sys.argv[1])
    _configure(pulumi.runtime, given)
    sys.argv = [given["program"], *given["args"]]
    os.chdir(given["pwd"] or os.curdir)
    program = os.path.abspath(given["program"])
    if os.path.isdir(program) and not os.path.isfile(os.path.join(program, "__main__.py")):
        pulumi.log.error(f"there is no program: {program} has no __main__.py")
        return SHOWN
    if not os.path.isdir(program):
        sys.path.insert(0, os.path.dirname(program))

    # Tasks that a failed program leaves behind are of no interest to the user.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max_workers=max(given["parallel"], 1) * 4)
    loop.set_default_executor(executor)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: _run(program)))
    except KeyboardInterrupt:
        _leave()
    except Exception as error:
        if str(error) not in ENGINE_GONE:
            pulumi.log.error(
                str(error)
                if isinstance(error, pulumi.RunError)
                else "Program failed with an unhandled exception:\n" + users_traceback(error, program)
            )
        return SHOWN
    finally:
        executor.shutdown(wait=True)
        loop.close()
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _run(program: str) -> None:
    runpy.run_path(program, run_name="__main__")


def _interrupt(*_: object) -> None:
    # The engine interrupts by a call and by a signal: the second one must not hit the program's cleaning up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _leave() -> None:
    """End at once: the engine has said why, and waiting for threads and tasks would hold it up."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(SHOWN)


def _configure(runtime: Any, given: Any) -> None:
    runtime.set_all_config(runtime.get_config_env(), runtime.get_config_secret_keys_env())
    runtime.configure(
        runtime.Settings(
            monitor=given["monitor"],
            engine=given["engine"],
            project=given["project"],
            stack=given["stack"],
            parallel=given["parallel"],
            dry_run=given["dry_run"],
            organization=given["organization"],
            root_directory=given["root"],
        )
    )


def users_traceback(error: BaseException, program: str) -> str:
    """Return the traceback from the user's first frame on; the whole one where no frame is the user's."""
    folder = program if os.path.isdir(program) else os.path.dirname(program)
    frame: TracebackType | None = error.__traceback__
    while frame is not None and not _is_in(frame.tb_frame.f_code.co_filename, folder):
        frame = frame.tb_next
    if frame is None and isinstance(error, SyntaxError):
        # The program itself could not be read: the error says file and line.
        return "".join(traceback.format_exception_only(type(error), error))
    return "".join(traceback.format_exception(type(error), error, frame or error.__traceback__))


def _is_in(path: str, folder: str) -> bool:
    if path.startswith("<"):  # "<frozen runpy>", "<string>"
        return False
    path = os.path.abspath(path)
    inside = path.startswith(folder + os.sep)
    # A virtual environment often lies inside the project.
    return inside and not path.startswith(sys.prefix + os.sep)


if __name__ == "__main__":
    # A line printed is a line shown, although standard output is a pipe.
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)
    signal.signal(signal.SIGINT, _interrupt)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        _leave()
