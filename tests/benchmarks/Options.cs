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

/// <summary>What makes a minibatch of sentences of like length: the program, or automatic batching.</summary>
internal enum Minibatch
{
    Hand,
    Auto,
}

/// <summary>What the command line says.</summary>
internal sealed record Options
{
    /// <summary>The seed of models, of made-up data and of the order of examples: every run does the same.</summary>
    public const int Seed = 1;

    public const string Usage = """
        usage: Benchmarks TASK [--style ops|cells] [--mode train|infer] [--data DIR] [--batch N] [--threads N]
                               [--seconds S] [--busy N] [--minibatch hand|auto] [--of TASK]
                               [--op NAME]
               Benchmarks --all [--data DIR] [--seconds S]

          treelstm, tagger, tagger-chars, lm, pronounce   examples a second
          recurrent, tree-cell                            the same, of cells that the engine does not name (ops only)
          scheduling --of TASK                            the share that planning has of forward and backward
          construction                                    nanoseconds a node, and bytes of managed memory a node
          decode                                          what an incremental forward for each token costs more
          ops [--op NAME]                                 nanoseconds an element of each operation, or of one; with
                                                          those of a plain loop and of Eigen

        DIR holds trees/train.txt, tags/dev.txt and cmudict-en-us.dict, of which a task reads its own; where that is
        missing, input of the same size distribution is made. Examples a second come with the operations of their matrix
        products and the peak of one core, in 10^9 a second. --minibatch auto records the sentences of lm one by one.
        --busy starts N processes beside it that each keep a processor busy. --all runs all tasks in all settings.
        """;

    public required string Task { get; init; }

    public Style Style { get; init; } = Style.Ops;

    public Mode Mode { get; init; } = Mode.Train;

    /// <summary>The task that is scheduled.</summary>
    public string Of { get; init; } = "treelstm";

    /// <summary>The operation that is measured, by its name after <c>dn_op_</c>; null for all.</summary>
    public string? Op { get; init; }

    /// <summary>A folder of files.</summary>
    public string? Data { get; init; }

    public int Batch { get; init; }

    public int Threads { get; init; } = 1;

    public double Seconds { get; init; } = 5;

    public int Busy { get; init; }

    public Minibatch Minibatch { get; init; } = Minibatch.Hand;

    /// <summary>The task whose network is run.</summary>
    public string Network => Task == "scheduling" ? Of : Task;

    /// <summary>The file that the task reads; null if it makes its input up.</summary>
    public string? DataFile
    {
        get
        {
            if (Data is null || DataFileOf(Network) is not { } name)
                return null;
            string file = Path.Combine(Data, name);
            return File.Exists(file) ? file : null;
        }
    }

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
                "--data" => options with { Data = Folder(name, value) },
                "--batch" => options with { Batch = Count(name, value) },
                "--threads" => options with { Threads = Count(name, value) },
                "--busy" => options with { Busy = Count(name, value) },
                "--minibatch" => options with { Minibatch = Choice<Minibatch>(name, value) },
                "--of" => options with { Of = value },
                "--op" => options with { Op = value },
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

    private static string? DataFileOf(string network) => network switch
    {
        "treelstm" or "tree-cell" or "construction" => "trees/train.txt",
        "tagger" or "tagger-chars" or "recurrent" or "lm" => "tags/dev.txt",
        "pronounce" => "cmudict-en-us.dict",
        _ => null,
    };

    // A file may be missing in it, but a folder that is missing is a slip.
    private static string Folder(string name, string value) =>
        Directory.Exists(value) ? value : throw new FormatException($"{name}: there is no folder '{value}'.");

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
