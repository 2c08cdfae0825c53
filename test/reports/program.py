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
    print("peak", max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)), file=sys.stderr)
