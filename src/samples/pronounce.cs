// Learns to pronounce English words from a dictionary: letters in, phonemes out.
//     dotnet run -c Release pronounce.cs -- cmudict-en-us.dict      (--full: longer, and a larger one)
//     dotnet run -c Release pronounce.cs -- --pronounce "dynamic networks"
// The network is an encoder and a decoder with attention. Every word's graph has the length of that word, with no
// padding anywhere: the library finds out which parts of the graphs can be computed together.
#:project ../DynNet.Native
#:package Spectre.Console@0.57.2
#:package ScottPlot@5.1.59

using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using DynNet.Native;
using Spectre.Console;
using static DynNet.Native.Ops;

const string ModelFile = "pronounce.model", CurveFile = "pronounce.png";
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
try
{
    Action run = args switch
    {
        ["--pronounce", string text, ..] => () => Pronounce(text),
        ["--full", string file] => () => Train(file, Course.Full),
        ["--words", string words, string file] when int.TryParse(words, out int count) && count > 0 =>
            () => Train(file, Course.Short with { Words = count }),
        [string file] when !file.StartsWith('-') => () => Train(file, Course.Short),
        _ => throw new FormatException("usage: pronounce [--full | --words N] DICTIONARY | --pronounce TEXT"),
    };
    run();
    return 0;
}
catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or DynNetException
    or InsufficientMemoryException)
{
    Console.Error.WriteLine(e.Message);
    return e is FormatException ? 2 : 1;
}

// Prints each word of a text and its phonemes.
static void Pronounce(string text)
{
    if (!File.Exists(ModelFile))
        throw new FileNotFoundException($"There is no {ModelFile} here yet: run the program with a dictionary first.");
    Pronouncer pronouncer = Pronouncer.Load(ModelFile);
    using var graph = new ComputationGraph();
    foreach (string word in text.ToLowerInvariant().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
    {
        Rune[] unknown = [.. word.EnumerateRunes().Where(letter => !pronouncer.Knows(letter)).Distinct()];
        if (unknown.Length > 0)
            Console.Error.WriteLine($"{word}: left out what the model has never seen: {string.Join(' ', unknown)}");
        if (word.EnumerateRunes().Any(pronouncer.Knows))
            Console.WriteLine($"{word}  {pronouncer.Pronounce(graph, [word], width: 8)[0]}");
    }
}

// Trains a model, ending early on a signal to stop; says how it goes in lines, or to a person who watches.
static void Train(string file, Course course)
{
    using var stop = new CancellationTokenSource();
    Action<PosixSignalContext> end = signal => { signal.Cancel = true; stop.Cancel(); };
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, end);
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, end);
    Lexicon lexicon = Lexicon.Read(file);
    if (Console.IsOutputRedirected)
        Learn(lexicon, course, Console.WriteLine, (_, _) => { }, stop.Token);
    else
        Terminal.Run(course.Words, (say, progress) => Learn(lexicon, course, say, progress, stop.Token));
}

static void Learn(
    Lexicon lexicon, Course course, Action<string> say, Action<int, string> progress, CancellationToken stop)
{
    Word[] development = [.. lexicon.HeldOut.Take(Math.Min(500, lexicon.HeldOut.Length / 2))];
    Word[] test = [.. lexicon.HeldOut.Skip(development.Length).Take(2000)];
    using var model = new Model(seed: 1);
    var pronouncer = new Pronouncer(model, lexicon.Letters, lexicon.Phonemes, course.Size, course.Layers);
    // What the network is like is saved with it, as a parameter that no graph uses and training thus leaves alone.
    string plan = $"{course.Size} {course.Layers} {lexicon.Letters} {string.Join(' ', lexicon.Phonemes)}";
    model.AddParameters([plan.Length], Initializer.FromArray([.. plan.Select(c => (float)c)]), "plan");
    using var graph = new ComputationGraph();
    using var trainer = new AdamTrainer(model, course.LearningRate);
    say($"{lexicon.Training.Length:n0} spellings to learn from, {lexicon.HeldOut.Length:n0} held out");
    var clock = Stopwatch.StartNew();
    var curve = new List<(int Words, Errors Errors)>();
    (int done, int steps, int best, double total) = (0, 0, 0, 0);
    // All words in random order, again and again, a few for each update; each time some that are left over wait.
    var random = new Random(Seed: 1);
    foreach (Word[] batch in Enumerable.InfiniteSequence(1, 1).SelectMany(_ =>
        lexicon.Training.OrderBy(_ => random.Next()).Chunk(Course.Update).SkipLast(1)))
    {
        // One graph for all words of an update; each has its own loop over its own letters and phonemes.
        graph.Renew();
        Expression loss = Sum(batch.Select(word => pronouncer.Loss(graph, word, course.Dropout)));
        int length = batch.Sum(word => word.Pronunciations[0].Length + 1);
        (total, steps) = (total + loss.ScalarValue(), steps + length);
        (loss / length).Backward();
        trainer.Update();
        done += batch.Length;
        double seconds = clock.Elapsed.TotalSeconds, speed = done / seconds;
        double left = Math.Max(0, 1 - Math.Max((double)done / course.Words, seconds / course.Seconds));
        trainer.LearningRate = course.LearningRate * Math.Max(0.01, left);
        progress(done, $"{speed:n0} words/s, loss {total / steps:f3}");
        if (left > 0 && !stop.IsCancellationRequested && done % Course.Report > 0)
            continue;
        // The file has the best model so far; in the end the last, whatever luck another had with a report's few words.
        curve.Add((done, Errors.Of(pronouncer, graph, development, width: 1)));
        best = left == 0 ? curve.Count - 1 : curve.IndexOf(curve.MinBy(point => point.Errors.Per));
        if (best == curve.Count - 1)
            model.Save(ModelFile);
        say($"{done,9:n0} words: loss {total / steps:f3}, {curve[^1].Errors}; {speed:n0} words/s, "
            + $"{clock.Elapsed.TotalSeconds * left / (1 - left):f0} s left");
        (total, steps) = (0, 0);
        if (left == 0 || stop.IsCancellationRequested || curve.Count - best > course.Patience)
            break;
    }
    model.Populate(ModelFile);
    Curve.Save(CurveFile, curve);
    say($"{(stop.IsCancellationRequested ? "Stopped" : "Ended")} after {clock.Elapsed.TotalSeconds:f0} s. The model "
        + $"({curve[best].Errors}) is in {ModelFile}, the learning curve in {CurveFile}.");
    if (stop.IsCancellationRequested)
        return;
    say($"On {test.Length:n0} other held-out spellings: {Errors.Of(pronouncer, graph, test, width: 1)}");
    say($"The same by beam search: {Errors.Of(pronouncer, graph, test, width: 8)}");
    say("Words that it never saw; where it is wrong, what the dictionary has:");
    foreach (Word word in test.Take(10))
    {
        string answer = pronouncer.Pronounce(graph, [word.Spelling], width: 8)[0];
        string[] right = Array.ConvertAll(word.Pronunciations, phonemes => string.Join(' ', phonemes));
        say($"  {word.Spelling,-14} {answer,-28} {(right.Contains(answer) ? "" : right[0])}");
    }
}

/// <summary>How long to train: a number of words and not a time, so that each run comes to the same figures.</summary>
internal record Course(int Words, double LearningRate, int Size, int Layers, double Dropout, int Patience, int Seconds)
{
    public const int Update = 20, Report = 20_000;
    public static readonly Course Short = new(1_200_000, 0.004, 64, 1, 0, int.MaxValue, int.MaxValue);
    public static readonly Course Full = new(2_000_000, 0.003, 128, 2, 0.3, 40, 29 * 60);
}

/// <summary>A spelling, and the ways in which it may be pronounced.</summary>
internal record Word(string Spelling, string[][] Pronunciations);

/// <summary>A pronunciation dictionary such as CMUdict; a tenth of it is held out from training.</summary>
internal record Lexicon(Word[] Training, Word[] HeldOut)
{
    // What only the words held out have is unknown to the model, as it may be in any other text.
    public string Letters { get; } =
        string.Concat(Training.SelectMany(word => word.Spelling.EnumerateRunes()).Distinct().Order());
    public string[] Phonemes { get; } =
        [.. Training.SelectMany(word => word.Pronunciations[0]).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>Reads lines such as <c>tomato(2) T AH0 M AA1 T OW2</c>: a word, the number of a variant if it is not
    /// the first, and phonemes, whose digits of stress are left out.</summary>
    public static Lexicon Read(string file)
    {
        var words = new SortedDictionary<string, List<string[]>>(StringComparer.Ordinal);
        foreach ((int index, string line) in File.ReadLines(file).Index())
        {
            string[] fields = line.Split('#')[0].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length == 0 || line.StartsWith(";;;", StringComparison.Ordinal))
                continue;
            if (fields.Length == 1)
                throw new IOException($"{file}, line {index + 1}: '{fields[0]}' has no phonemes.");
            string word = fields[0].ToLowerInvariant();
            if (word.EndsWith(')') && word.LastIndexOf('(') is > 0 and int variant)
                word = word[..variant];
            string[] phonemes = [.. fields[1..].Select(phoneme => phoneme.TrimEnd([.. "0123456789"]))];
            if (!words.TryAdd(word, [phonemes]) && !words[word].Any(phonemes.SequenceEqual))
                words[word].Add(phonemes);
        }
        if (words.Count < 100)
            throw new IOException($"{file} has {words.Count} words: too few to learn from.");

        // All variants of a spelling are one entry, and so on one side of the split.
        Word[] all = [.. words.Select(word => new Word(word.Key, [.. word.Value]))];
        new Random(Seed: 1).Shuffle(all);
        return new Lexicon(all[(all.Length / 10)..], all[..(all.Length / 10)]);
    }
}

/// <summary>Layers of LSTMs in both directions over the letters, and one over the phonemes, which attends.</summary>
internal sealed class Pronouncer(Model model, string letters, string[] phonemes, int size, int layers)
{
    // The number of what is before and after each word, among the letters and among the phonemes.
    private const int Boundary = 0, LongestAnswer = 60;

    private readonly List<Rune> _letters = [default, .. letters.EnumerateRunes()];
    private readonly List<string> _phonemes = ["", .. phonemes];
    private readonly LookupParameter _letterTable = model.AddLookupParameters(letters.Length + 1, [size]);
    private readonly LookupParameter _phonemeTable = model.AddLookupParameters(phonemes.Length + 1, [size]);
    private readonly VanillaLstmBuilder[][] _encoder = [.. Enumerable.Range(1, layers).Select(layer =>
        Array.ConvertAll([layer, layer], _ => new VanillaLstmBuilder(model, 1, Math.Min(layer, 2) * size, size)))];
    private readonly VanillaLstmBuilder _decoder = new(model, layers: 1, size, 2 * size);
    private readonly Parameter _start = model.AddParameters([2 * size, 2 * size]);
    private readonly Parameter _context = model.AddParameters([2 * size, 2 * size]);
    private readonly Parameter _state = model.AddParameters([2 * size, 2 * size]);
    private readonly Parameter _bias = model.AddParameters([2 * size], Initializer.Constant(0), "bias");
    private readonly Parameter _output = model.AddParameters([phonemes.Length + 1, 2 * size]);
    private readonly Parameter _outputBias = model.AddParameters([phonemes.Length + 1], Initializer.Constant(0));
    private double _dropout;

    public static Pronouncer Load(string file)
    {
        using Model saved = Model.Load(file);
        Parameter? plan = saved.Parameters.FirstOrDefault(parameter => parameter.Name == "/plan");
        string[] parts = string.Concat((plan?.ToArray() ?? []).Select(value => (char)value)).Split(' ');
        if (parts is not [string sizeText, string layersText, string letters, .. string[] phonemes]
            || !ushort.TryParse(sizeText, out ushort size) || !ushort.TryParse(layersText, out ushort layers)
            || size == 0 || layers == 0)
        {
            throw new IOException($"{file} is no model of this program.");
        }
        var model = new Model();
        var pronouncer = new Pronouncer(model, letters, phonemes, size, layers);
        model.Populate(file);
        return pronouncer;
    }

    public bool Knows(Rune letter) => _letters.IndexOf(letter, 1) > 0;

    /// <summary>The negative log likelihood of a word's phonemes, given its letters.</summary>
    public Expression Loss(ComputationGraph graph, Word word, double dropout)
    {
        _dropout = dropout;
        // A word is learned in its first pronunciation, the usual one.
        int[] phonemes = Array.ConvertAll(word.Pronunciations[0], _phonemes.IndexOf);
        (Expression memory, LstmState start) = Encode(graph, word.Spelling);
        var states = start.Transduce(phonemes.Prepend(Boundary).Select(p => graph.Lookup(_phonemeTable, p)));
        Expression scores = Scores(memory, Thinned(ConcatenateCols(states)));
        // From a column for each phoneme to a batch element for each.
        Dim column = [_phonemes.Count];
        Expression steps = Reshape(scores, column.WithBatch(states.Count));
        return SumBatches(PickNegLogSoftmax(steps, [.. phonemes, Boundary]));
    }

    /// <summary>The likeliest phonemes for each of several words, by beam search: of all beginnings, the best few go
    /// on. With a width of 1 that is the likeliest phoneme at each step.</summary>
    public string[] Pronounce(ComputationGraph graph, IEnumerable<string> words, int width)
    {
        graph.Renew();
        _dropout = 0;
        (Expression Memory, LstmState Start)[] encoded = [.. words.Select(word => Encode(graph, word))];
        Answer[] answers = [.. encoded.Select((word, number) => new Answer(number, word.Start, [], 0))];
        for (int step = 0; step < LongestAnswer && answers.Any(a => !a.IsFinished); step++)
        {
            // A state is a value: any number of answers may go on from it, each in its own way.
            Answer[] open = [.. answers.Where(a => !a.IsFinished).Select(a =>
                a with { State = a.State.AddInput(graph.Lookup(_phonemeTable, a.Phonemes.LastOrDefault(Boundary))) })];
            // Reading computes what is new in the graph: this step of all answers to all words.
            float[] scores = LogSoftmax(ConcatenateCols(
                open.Select(a => Scores(encoded[a.Word].Memory, a.State.Output)))).ToArray();
            IEnumerable<Answer> longer = open.Zip(scores.Chunk(_phonemes.Count), (a, column) =>
                column.Select((score, phoneme) => a.Then(phoneme, score))).SelectMany(a => a);
            answers = [.. longer.Concat(answers.Where(a => a.IsFinished)).GroupBy(a => a.Word)
                .SelectMany(word => word.OrderByDescending(a => a.Score).Take(width))];
        }
        return [.. answers.DistinctBy(a => a.Word).OrderBy(a => a.Word)
            .Select(a => string.Join(' ', a.Phonemes.Where(p => p != Boundary).Select(p => _phonemes[p])))];
    }

    // A column for each letter, and what the decoder starts from.
    private (Expression Memory, LstmState Start) Encode(ComputationGraph graph, string word)
    {
        int[] letters = [Boundary, .. word.EnumerateRunes().Where(Knows).Select(l => _letters.IndexOf(l, 1)), Boundary];
        Expression[] columns = Array.ConvertAll(letters, letter => graph.Lookup(_letterTable, letter));
        Expression last = columns[^1];
        foreach (VanillaLstmBuilder[] layer in _encoder)
        {
            IReadOnlyList<Expression> forward = layer[0].InitialState(graph).Transduce(columns);
            IReadOnlyList<Expression> backward = layer[1].InitialState(graph).Transduce(columns.Reverse());
            last = Concatenate(forward[^1], backward[^1]);
            columns = [.. forward.Zip(backward.Reverse(), (f, b) => Thinned(Concatenate(f, b)))];
        }
        Expression c = Tanh(_start * last);
        return (ConcatenateCols(columns), _decoder.InitialState(graph, c, Tanh(c)));
    }

    // The scores of all phonemes after a state of the decoder, or after each of several, the columns of a matrix.
    private Expression Scores(Expression memory, Expression states)
    {
        // Attention: the letters' columns, weighted by how well they fit the state.
        Expression context = memory * Softmax(Transpose(memory) * states);
        Expression both = Thinned(Tanh(AffineTransform(_bias, _context, context, _state, states)));
        return AffineTransform(_outputBias, _output, both);
    }

    // What trains longer than it needs to learn its examples by heart is kept from it by dropout.
    private Expression Thinned(Expression x) => _dropout > 0 ? Dropout(x, _dropout) : x;

    // An answer as far as it goes, and the logarithm of its likelihood, to which that of the next phoneme is added.
    private sealed record Answer(int Word, LstmState State, int[] Phonemes, double Score)
    {
        public bool IsFinished => Phonemes is [.., Boundary];
        public Answer Then(int next, double odds) => this with { Phonemes = [.. Phonemes, next], Score = Score + odds };
    }
}

/// <summary>Of all phonemes, and of all words, how many are wrong, in percent.</summary>
internal record Errors(double Per, double Wer)
{
    public override string ToString() => $"PER {Per:f2} %, WER {Wer:f2} %";

    public static Errors Of(Pronouncer pronouncer, ComputationGraph graph, Word[] words, int width)
    {
        (int Edits, int Phonemes)[] nearest = [.. words.Chunk(100).SelectMany(some =>
            some.Zip(pronouncer.Pronounce(graph, some.Select(word => word.Spelling), width), Nearest))];
        return new Errors(
            100.0 * nearest.Sum(n => n.Edits) / nearest.Sum(n => n.Phonemes),
            100.0 * nearest.Count(n => n.Edits > 0) / nearest.Length);
    }

    // Any pronunciation in the dictionary is right; the one counts that is nearest to the answer.
    private static (int Edits, int Phonemes) Nearest(Word word, string answer) => word.Pronunciations
        .Select(p => (Edits: Edits(p, answer.Split(' ')), p.Length)).MinBy(p => (double)p.Edits / p.Length);

    // How many phonemes must be added, left out or replaced to make one list of the other.
    private static int Edits(string[] expected, string[] answer)
    {
        var edits = new int[expected.Length + 1, answer.Length + 1];
        for (int i = 0; i <= expected.Length; i++)
            for (int j = 0; j <= answer.Length; j++)
                edits[i, j] = i == 0 || j == 0 ? i + j : Math.Min(
                    Math.Min(edits[i - 1, j], edits[i, j - 1]) + 1,
                    edits[i - 1, j - 1] + (expected[i - 1] == answer[j - 1] ? 0 : 1));
        return edits[expected.Length, answer.Length];
    }
}

// Classes of their own, so that Spectre.Console and ScottPlot are loaded only where they are used.
internal static class Terminal
{
    public static void Run(int words, Action<Action<string>, Action<int, string>> run) => AnsiConsole.Progress()
        .Columns(new ProgressBarColumn(), new RemainingTimeColumn(), new TaskDescriptionColumn())
        .Start(context =>
        {
            ProgressTask task = context.AddTask("starting", maxValue: words);
            run(AnsiConsole.WriteLine, (done, state) => (task.Value, task.Description) = (done, state));
        });
}

internal static class Curve
{
    public static void Save(string file, List<(int Words, Errors Errors)> curve)
    {
        using var plot = new ScottPlot.Plot();
        double[] words = [.. curve.Select(point => point.Words / 1000.0)];
        plot.Add.Scatter(words, [.. curve.Select(point => point.Errors.Wer)]).LegendText = "words (WER)";
        plot.Add.Scatter(words, [.. curve.Select(point => point.Errors.Per)]).LegendText = "phonemes (PER)";
        plot.Title("Errors on held-out spellings");
        plot.XLabel("thousand words learned");
        plot.YLabel("wrong, %");
        plot.Axes.SetLimits(0, 1.05 * words[^1], 0, 1.25 * curve.Max(point => point.Errors.Wer));
        plot.ShowLegend(ScottPlot.Alignment.UpperRight);
        plot.SavePng(file, 1000, 600);
    }
}
