# Runs the program in another folder than the host's: program.py PROGRAM FOLDER CONFIG [word...]
import importlib.machinery
import importlib.util
import resource
import sys

program, folder, config, *words = sys.argv[1:]
loader = importlib.machinery.SourceFileLoader("reports", program)
reports = importlib.util.module_from_spec(importlib.util.spec_from_loader("reports", loader))
loader.exec_module(reports)
reports.FOLDER, reports.CONFIG = folder, config
sys.argv = [program, *words]
try:
    reports.main()
finally:
    print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
