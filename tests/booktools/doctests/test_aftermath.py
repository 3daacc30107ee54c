import pytest

UNSEEN = {
    "thread": "import threading\nthreading.Thread(target=lambda: 1 / 0).start()",
    "slow thread": "import threading, time\n"
    "threading.Thread(target=lambda: (time.sleep(0.1), 1 / 0)).start()",
    "timer": "import threading\nthreading.Timer(0.01, lambda: 1 / 0).start()",
    "future": "from concurrent.futures import ThreadPoolExecutor\n"
    "ThreadPoolExecutor().submit(lambda: 1 / 0)",
    "future of a process": "from concurrent.futures import ProcessPoolExecutor\n"
    "ProcessPoolExecutor(1).submit(int, 'x')",
    "pool": "from multiprocessing.pool import ThreadPool\n"
    "pool = ThreadPool(1)\npool.apply_async(int, ['x'])\npool.close()\npool.join()",
    "mapped": "from multiprocessing.pool import ThreadPool\n"
    "pool = ThreadPool(1)\npool.map_async(int, ['x'])\npool.close()\npool.join()",
    "callback": "from concurrent.futures import Future\nfuture = Future()\n"
    "future.add_done_callback(lambda _: 1 / 0)\nfuture.set_result(1)",
    "task": "import asyncio\nasync def fail(): 1 / 0\n"
    "async def main():\n    task = asyncio.create_task(fail())\n    await asyncio.sleep(0.01)\n"
    "asyncio.run(main())",
    "global task": "import asyncio\nasync def fail(): 1 / 0\ntasks = []\n"
    "async def main():\n    tasks.append(asyncio.create_task(fail()))\n"
    "    await asyncio.sleep(0.01)\nasyncio.run(main())",
    "never awaited": "async def nothing(): pass\nnothing()",
    "finalizer": "class Bad:\n    def __del__(self): 1 / 0\nBad()",
    "finalizer at the end": "class Bad:\n    def __del__(self): 1 / 0\nbad = Bad()",
    "finalizer in a cycle": "class Bad:\n    def __del__(self): 1 / 0\nbad = Bad(); bad.bad = bad",
    "exit": "import atexit\natexit.register(lambda: 1 / 0)",
    "weak reference": "import weakref\nclass A: pass\na = A()\n"
    "r = weakref.ref(a, lambda _: 1 / 0)\ndel a",
    "process": "from multiprocessing import Process\n"
    "one = Process(target=int, args=['x'])\none.start(); one.join()",
    "silent process": "import os\nfrom multiprocessing import Process\n"
    "one = Process(target=os._exit, args=[3])\none.start(); one.join()",
    "program": "import subprocess\nsubprocess.run(['false'])",
    "program in the background": "import subprocess\nsubprocess.Popen(['false'])",
    "shell": "import os\nos.system('exit 3')",
    "program that crashes": "import os, subprocess, sys\n"
    "subprocess.run([sys.executable, '-c', 'import os; os.abort()'])",
    "python": "import subprocess, sys\nsubprocess.run([sys.executable, '-c', '1 / 0'])",
}


@pytest.mark.parametrize("code", UNSEEN.values(), ids=UNSEEN)
def test_what_fails_outside_the_main_thread_fails_the_block(run_code, code):
    outcome = run_code(code + "\nprint('done')")
    assert outcome.printed == "done\n"
    assert "failed, and nobody looked" in outcome.failure or "standard error" in outcome.failure


SEEN = {
    "future": "from concurrent.futures import ThreadPoolExecutor\n"
    "try: ThreadPoolExecutor().submit(lambda: 1 / 0).result()\nexcept ZeroDivisionError: pass",
    "all of them": "from concurrent.futures import ThreadPoolExecutor\n"
    "assert list(ThreadPoolExecutor().map(abs, [-1])) == [1]",
    "canceled": "from concurrent.futures import Future\nFuture().cancel()",
    "pool": "from multiprocessing.pool import ThreadPool\n"
    "try: ThreadPool(1).apply_async(int, ['x']).get()\nexcept ValueError: pass",
    "task": "import asyncio\nasync def fail(): 1 / 0\n"
    "async def main():\n    try: await asyncio.create_task(fail())\n"
    "    except ZeroDivisionError: pass\nasyncio.run(main())",
    "program": "import subprocess\nassert subprocess.run(['false']).returncode == 1",
    "process": "import os\nfrom multiprocessing import Process\n"
    "one = Process(target=os._exit, args=[3])\none.start(); one.join(); assert one.exitcode == 3",
    "ended process": "import subprocess\none = subprocess.Popen(['sleep', '9'])\n"
    "one.terminate(); one.wait()",
    "program that does not exist": "import subprocess\ntry: subprocess.run(['no-such'])\n"
    "except FileNotFoundError: pass",
    "progress": "from tqdm import tqdm\nfor _ in tqdm(range(3)): pass",
    "shell": "import os\ncode = os.system('exit 3')\nassert code",
}


@pytest.mark.parametrize("code", SEEN.values(), ids=SEEN)
def test_what_the_block_looks_at_is_its_own_affair(run_code, code):
    outcome = run_code(code + "\nprint('done')")
    assert (outcome.failure, outcome.printed) == ("", "done\n")


def test_a_block_waits_for_its_threads_before_it_exits(run_code):
    code = """
        import atexit, threading, time
        class Last:
            def __del__(self): print("finalizer", kind)
        kind = "with its globals"
        last = Last()
        atexit.register(print, "exit")
        threading.Thread(target=lambda: (time.sleep(0.1), print("thread"))).start()
        print("block")
    """
    assert run_code(code).printed == "block\nthread\nexit\nfinalizer with its globals\n"
