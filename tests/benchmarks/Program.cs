// Measures the benchmark tasks and prints one JSON object a line. They are not tests: nothing is compared.
using System.Diagnostics;
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
        "treelstm" => Throughput(new TreeLstmWorkload(options)),
        "tagger" => Throughput(new TaggerWorkload(options, characters: false)),
        "tagger-chars" => Throughput(new TaggerWorkload(options, characters: true)),
        "lm" => Throughput(new LanguageModelWorkload(options)),
        "pronounce" => Throughput(new PronounceWorkload(options)),
        _ => throw new FormatException($"There is no task '{options.Task}'."),
    });
    return 0;

    string Throughput<T>(Workload<T> workload)
    {
        using (workload)
            return Report.Line(
                options, workload.Measure(options.Seconds), workload.Unit, ("peak_mb", PeakMemory() / 1e6));
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
