"""Turns measured runs into a page of Markdown. Standard library only."""

import os
import pathlib
import platform
from statistics import median

OURS = "mnistry"
# A run is called disturbed if more than this share of the machine was busy elsewhere.
DISTURBED = 0.05


def machine():
    """The machine in a few words: processor, processors in use, memory, system."""
    model = platform.processor() or platform.machine()
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if cpuinfo.exists():
        fields = dict(line.split(":", 1) for line in cpuinfo.read_text().split("\n\n")[0]
                      .splitlines() if ":" in line)
        fields = {name.strip(): value.strip() for name, value in fields.items()}
        model = fields.get("model name", model)
        if "cpu family" in fields:
            model += f" (family {fields['cpu family']}, model {fields.get('model')})"
    description = {"cpu": model, "cores": os.cpu_count(),
                   "system": f"{platform.system()} {platform.release()}"}
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        description["memory_gib"] = round(memory / 2**30, 1)
    return description


def medians(runs):
    """The median of each number over the runs of one program at one work."""
    names = ("train_seconds", "compile_seconds", "total_seconds", "peak_memory_bytes",
             "test_accuracy")
    return {name: median(run[name] for run in runs if name in run)
            for name in names if any(name in run for run in runs)}


def page(description, settings, programs, runs):
    """The whole page: what was run where, and a table for each model and batch size."""
    lines = [
        f"{description['cpu']}, {description['cores']} cores, {description['system']};"
        f" {settings['threads']} threads, {settings['epochs']} epochs,"
        f" medians of {settings['rounds']} interleaved rounds.", "",
        "`" + settings["command"] + "`", ""]
    for name, reason in settings["left_out"].items():
        lines += [f"Left out: {name} ({reason}).", ""]
    disturbed = sum(run["disturbance"] > DISTURBED for run in runs)
    if disturbed:
        lines += [f"**{disturbed} of {len(runs)} runs were disturbed**: something else used more"
                  f" than {DISTURBED:.0%} of the processors.", ""]
    for model, batch_size in dict.fromkeys((run["model"], run["batch_size"]) for run in runs):
        here = [run for run in runs if (run["model"], run["batch_size"]) == (model, batch_size)]
        lines += [f"### {model}, batch {batch_size}", "", *table(programs, here), ""]
    return "\n".join(lines)


def table(programs, runs):
    """The rows of one model and batch size, fastest training first."""
    rows = []
    for program in programs:
        its = [run for run in runs if run["name"] == program.name]
        if its:
            version = its[0].get("version")
            title = program.title + (f" ({version})" if version else "")
            rows.append((program.name, title, medians(its)))
    ours = next((numbers for name, _, numbers in rows if name == OURS), None)

    def ratio(numbers, name):
        return f"{numbers[name] / ours[name]:.1f}×" if ours else "–"

    yield ("| | training, s | to ours | whole process, s | to ours | compiling, s"
           " | peak memory, MB | to ours | test accuracy |")
    yield "| --- |" + " ---: |" * 8
    for _, title, numbers in sorted(rows, key=lambda row: row[2]["train_seconds"]):
        compiling = numbers.get("compile_seconds")
        yield (f"| {title} | {numbers['train_seconds']:.2f} | {ratio(numbers, 'train_seconds')}"
               f" | {numbers['total_seconds']:.2f} | {ratio(numbers, 'total_seconds')}"
               f" | {'' if compiling is None else f'{compiling:.2f}'}"
               f" | {numbers['peak_memory_bytes'] / 1e6:.0f}"
               f" | {ratio(numbers, 'peak_memory_bytes')}"
               f" | {100 * numbers['test_accuracy']:.2f} % |")
