using System.Diagnostics;

namespace DynNet.Native.Benchmarks;

/// <summary>All benchmarks, one after the other, each in a process of its own.</summary>
internal static class Table
{
    // What every row is run with: one thread, two, and two beside a process that keeps a processor busy.
    private static readonly string[] _threads = ["--threads 1", "--threads 2", "--threads 2 --busy 1"];

    private static readonly string[] _rows =
    [
        .. from batch in (int[])[1, 10, 50] select $"treelstm --style ops --batch {batch}",
        .. from batch in (int[])[1, 10, 50] select $"treelstm --style cells --batch {batch}",
        "treelstm --style ops --mode infer --batch 32",
        "treelstm --style cells --mode infer --batch 32",
        .. from style in (string[])["ops", "cells"]
           from batch in (int[])[1, 10, 50]
           select $"tagger --style {style} --batch {batch}",
        .. from style in (string[])["ops", "cells"]
           from batch in (int[])[1, 10, 50]
           select $"tagger-chars --style {style} --batch {batch}",
        .. from style in (string[])["ops", "cells"]
           from batch in (int[])[16, 64]
           from minibatch in (string[])["hand", "auto"]
           select $"lm --style {style} --batch {batch} --minibatch {minibatch}",
        "pronounce --style ops --batch 20",
        "pronounce --style cells --batch 20",
        .. from task in (string[])["recurrent", "tree-cell"]
           from batch in (int[])[10, 50]
           select $"{task} --batch {batch}",
    ];

    // What has no use for more than the threads that they say.
    private static readonly string[] _otherRows =
    [
        "scheduling --of treelstm --style ops --batch 10",
        "scheduling --of treelstm --style ops --batch 50",
        "scheduling --of tagger --style cells --batch 10",
        "construction",
        "decode",
        "ops",
        "decode --threads 2",
    ];

    /// <summary>Prints a line for each.</summary>
    /// <param name="arguments">What is passed on to each: <c>--data</c> and <c>--seconds</c>.</param>
    /// <returns>The exit status: that of the first that failed, or 0. The others run all the same.</returns>
    public static int Run(ReadOnlySpan<string> arguments)
    {
        string[] common = arguments.ToArray();
        IEnumerable<string> rows = _rows.SelectMany(row => _threads.Select(threads => $"{row} {threads}"))
            .Concat(_otherRows);
        int[] statuses = [.. rows.Select(row => RunOne([.. row.Split(' '), .. common]))];
        return statuses.FirstOrDefault(status => status != 0);
    }

    private static int RunOne(string[] arguments)
    {
        using Process process = Process.Start(Environment.ProcessPath!, arguments);
        process.WaitForExit();
        return process.ExitCode;
    }
}

/// <summary>Processes that each keep a processor busy until this is disposed.</summary>
internal sealed class BusyNeighbours : IDisposable
{
    /// <summary>The task by which such a process is started.</summary>
    public const string Task = "spin";

    private readonly Process[] _processes;

    public BusyNeighbours(int count) =>
        _processes = [.. Enumerable.Range(0, count).Select(_ => Process.Start(
            new ProcessStartInfo(Environment.ProcessPath!, [Task]) { RedirectStandardInput = true })!)];

    public void Dispose()
    {
        foreach (Process process in _processes)
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
    }

    /// <summary>What such a process does: until its input ends, since then whoever started it has ended.</summary>
    public static void Spin()
    {
        Task<int> end = System.Threading.Tasks.Task.Run(Console.In.Read);
        while (!end.IsCompleted)
            Thread.SpinWait(10_000);
    }
}
