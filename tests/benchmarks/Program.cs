// Measures the benchmark tasks and prints one JSON object a line. They are not tests: nothing is compared.
using System.Diagnostics;
using System.Runtime.InteropServices;
using DynNet.Native;
using DynNet.Native.Benchmarks;

try
{
    if (args is ["--all", ..])
        return Table.Run(args.AsSpan(1));
    if (args is [BusyNeighbours.Task])
    {
        BusyNeighbours.Spin();
        return 0;
    }
    Options options = Options.Parse(args);
    Device.Cpu.Threads = options.Threads;
    using var neighbours = new BusyNeighbours(options.Busy);
    Console.WriteLine(options.Task switch
    {
        "construction" => ConstructionBenchmark.Run(options),
        "decode" => DecodeBenchmark.Run(options),
        "scheduling" => SchedulingBenchmark.Run(options),
        "ops" => OpsBenchmark.Run(options),
        _ => Throughput(),
    });
    return 0;

    string Throughput()
    {
        using Workload workload = Workload.Create(options);
        // Before and after, since a shared machine is not as fast at one time as at another.
        double[] before = Peak.Measure();
        Speed speed = workload.Measure(options.Seconds);
        double peak = Statistics.Median([.. before, .. Peak.Measure()]);
        double gflops = speed.Flops / 1e9;
        List<(string Name, double Value)> more =
            [("peak_mb", PeakMemory() / 1e6), ("gflops", gflops), ("peak_gflops", peak)];
        // The peak is that of one core.
        if (options.Threads == 1)
            more.Add(("of_limit", gflops / peak));
        return Report.Line(options, speed.Units, workload.Unit, CollectionsMarshal.AsSpan(more));
    }

    // The most that the process held at any time, in bytes.
    long PeakMemory()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }
}
catch (FormatException e)
{
    Console.Error.WriteLine($"{e.Message}\n{Options.Usage}");
    return 2;
}
catch (IOException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
