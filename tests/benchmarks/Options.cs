using System.Globalization;

namespace DynNet.Native.Benchmarks;

/// <summary>How a network is written: from elementary operations, or from cells.</summary>
internal enum Style
{
    Ops,
    Cells,
}

/// <summary>What is measured: updates, or forwards alone.</summary>
internal enum Mode
{
    Train,
    Infer,
}

/// <summary>What the command line says.</summary>
internal sealed record Options
{
    /// <summary>The seed of models, of made-up data and of the order of examples: every run does the same.</summary>
    public const int Seed = 1;

    public const string Usage = """
        usage: Benchmarks TASK [--style ops|cells] [--mode train|infer] [--data DIR] [--batch N] [--threads N]
                               [--seconds S] [--busy N]
               Benchmarks --all [--data DIR] [--seconds S]

          treelstm, tagger, tagger-chars, lm, pronounce   examples a second
          construction                                    nanoseconds a node, and bytes of managed memory a node
          decode                                          what an incremental forward for each token costs more

        Without --data, input of the same size distribution is made. DIR holds trees/train.txt, tags/dev.txt and
        cmudict-en-us.dict, of which a task reads its own. --busy starts N processes beside it that each keep a processor
        busy. --all runs all tasks in all settings.
        """;

    public required string Task { get; init; }

    public Style Style { get; init; } = Style.Ops;

    public Mode Mode { get; init; } = Mode.Train;

    public string? Data { get; init; }

    public int Batch { get; init; }

    public int Threads { get; init; } = 1;

    public double Seconds { get; init; } = 5;

    public int Busy { get; init; }

    public static Options Parse(ReadOnlySpan<string> arguments)
    {
        if (arguments.IsEmpty)
            throw new FormatException("A task is missing.");
        var options = new Options { Task = arguments[0], Batch = DefaultBatch(arguments[0]) };
        for (int i = 1; i < arguments.Length; i += 2)
        {
            string name = arguments[i];
            if (i + 1 == arguments.Length)
                throw new FormatException($"{name} needs a value.");
            string value = arguments[i + 1];
            options = name switch
            {
                "--style" => options with { Style = Choice<Style>(name, value) },
                "--mode" => options with { Mode = Choice<Mode>(name, value) },
                "--data" => options with { Data = value },
                "--batch" => options with { Batch = Count(name, value) },
                "--threads" => options with { Threads = Count(name, value) },
                "--busy" => options with { Busy = Count(name, value) },
                "--seconds" => options with { Seconds = Duration(name, value) },
                _ => throw new FormatException($"There is no option {name}."),
            };
        }
        return options;
    }

    // The sizes of an update that the figures of others are for.
    private static int DefaultBatch(string task) => task switch
    {
        "lm" => 16,
        "pronounce" => 20,
        _ => 10,
    };

    private static T Choice<T>(string name, string value)
        where T : struct, Enum =>
        Enum.GetValues<T>().Where(choice => string.Equals($"{choice}", value, StringComparison.OrdinalIgnoreCase))
            .Cast<T?>().FirstOrDefault()
        ?? throw new FormatException(
            $"{name} is one of {string.Join(", ", Enum.GetNames<T>()).ToLowerInvariant()}, not '{value}'.");

    private static int Count(string name, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count > 0
            ? count
            : throw new FormatException($"{name} is a number of at least 1, not '{value}'.");

    private static double Duration(string name, string value) =>
        double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds)
        && seconds > 0
            ? seconds
            : throw new FormatException($"{name} is a number of seconds, more than 0, not '{value}'.");
}
