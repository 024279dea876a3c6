// Measures the benchmark tasks and prints one JSON object a line. They are not tests: nothing is compared.
using DynNet.Native;
using DynNet.Native.Benchmarks;

try
{
    Options options = Options.Parse(args);
    Device.Cpu.Threads = options.Threads;
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
            return Report.Line(options, workload.Measure(options.Seconds), workload.Unit);
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
