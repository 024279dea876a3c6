using static DynNet.Native.Ops;

namespace DynNet.Native.Benchmarks;

/// <summary>
/// LSTM language model: words of 128, one layer of 256, the full softmax. An example is a minibatch: sentences of one
/// length, side by side in the batch dimension.
/// </summary>
internal sealed class LanguageModelWorkload : Workload<int[][]>
{
    private const int WordSize = 128;
    private const int Hidden = 256;

    // What the figures of others are for.
    private const int Count = 4_000;
    private const int Vocabulary = 7_600;
    private const double MeanLength = 21;
    private const double LengthDeviation = 8;

    // Begins and ends each sentence.
    private const int Boundary = 0;

    private readonly LookupParameter _words;
    private readonly Lstm _lstm;
    private readonly Parameter _weights;
    private readonly Parameter _biases;
    private Expression _weight;
    private Expression _bias;

    public LanguageModelWorkload(Options options)
        : this(options, Sentences(options.Data, out int words), words)
    {
    }

    private LanguageModelWorkload(Options options, IEnumerable<int[]> sentences, int words)
        // Each example is a minibatch already.
        : base(options with { Batch = 1 }, [.. Minibatches(sentences, options.Batch)], "words/s")
    {
        _words = Model.AddLookupParameters(words, [WordSize]);
        _lstm = Lstm.Create(options.Style, Model, WordSize, Hidden);
        _weights = Model.AddParameters([words, Hidden]);
        _biases = Model.AddParameters([words], Initializer.Constant(0));
    }

    protected override void Begin(ComputationGraph graph)
    {
        _lstm.Begin(graph);
        _weight = graph.Parameter(_weights);
        _bias = graph.Parameter(_biases);
    }

    protected override int Record(ComputationGraph graph, int[][] example, List<Expression> losses)
    {
        int batch = example[0].Length;
        Lstm.State state = _lstm.Start(batch);
        for (int i = 0; i + 1 < example.Length; i++)
        {
            state = _lstm.Next(state, graph.Lookup(_words, example[i]));
            Expression scores = AffineTransform(_bias, _weight, state.H);
            losses.Add(SumBatches(PickNegLogSoftmax(scores, example[i + 1])));
        }
        return (example.Length - 1) * batch;
    }

    // A row for each place: the words that the sentences have there.
    private static IEnumerable<int[][]> Minibatches(IEnumerable<int[]> sentences, int batch) =>
        from length in sentences.GroupBy(sentence => sentence.Length)
        from chunk in length.Chunk(batch)
        where chunk.Length == batch
        select Enumerable.Range(0, length.Key).Select(i => Array.ConvertAll(chunk, s => s[i])).ToArray();

    private static List<int[]> Sentences(string? folder, out int words)
    {
        if (folder is null)
        {
            words = Vocabulary;
            var random = new Random(Options.Seed);
            var vocabulary = new Zipf(Vocabulary - 1, random);
            return
            [
                .. Enumerable.Range(0, Count).Select(_ => Bounded(
                    Enumerable.Range(0, random.NextLength(MeanLength, LengthDeviation))
                        .Select(_ => vocabulary.Next() + 1))),
            ];
        }

        // The words without their tags. All are in the vocabulary, which has about as many as the figures are for.
        string[][] text =
        [
            .. File.ReadLines(Path.Combine(folder, "tags", "dev.txt")).Where(line => line.Length > 0)
                .Select(line => Array.ConvertAll(line.Split(' '), token => token[..token.LastIndexOf('|')])),
        ];
        var numbers = new Numbering();
        _ = numbers["<s>"];
        List<int[]> sentences = [.. text.Select(sentence => Bounded(sentence.Select(word => numbers[word])))];
        words = numbers.Count;
        return sentences;
    }

    private static int[] Bounded(IEnumerable<int> words) => [Boundary, .. words, Boundary];
}
