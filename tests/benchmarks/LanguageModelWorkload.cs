using static DynNet.Native.Ops;

namespace DynNet.Native.Benchmarks;

/// <summary>
/// LSTM language model: words of 128, one layer of 256, the full softmax. An example is a minibatch, sentences of one
/// length: side by side in the batch dimension, or each recorded on its own and batched automatically.
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

    private readonly Minibatch _minibatch;
    private readonly LookupParameter _words;
    private readonly Lstm _lstm;
    private readonly Parameter _weights;
    private readonly Parameter _biases;
    private Expression _weight;
    private Expression _bias;

    public LanguageModelWorkload(Options options)
        : this(options, Sentences(options.DataFile, out int words), words)
    {
    }

    private LanguageModelWorkload(Options options, IEnumerable<int[]> sentences, int words)
        // Each example is a minibatch already.
        : base(options with { Batch = 1 }, [.. Minibatches(sentences, options.Batch)], "words/s")
    {
        _minibatch = options.Minibatch;
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
        if (_minibatch == Minibatch.Hand)
        {
            RecordTogether(graph, example, losses);
        }
        else
        {
            for (int sentence = 0; sentence < batch; sentence++)
                RecordAlone(graph, example, sentence, losses);
        }
        return (example.Length - 1) * batch;
    }

    protected override long Flops(int[][] example)
    {
        long word = _lstm.StepFlops + MatrixProduct.Flops(_words.Rows, 1, Hidden);
        return (example.Length - 1) * example[0].Length * word;
    }

    private void RecordTogether(ComputationGraph graph, int[][] example, List<Expression> losses)
    {
        Lstm.State state = _lstm.Start(example[0].Length);
        for (int i = 0; i + 1 < example.Length; i++)
        {
            state = _lstm.Next(state, graph.Lookup(_words, example[i]));
            losses.Add(SumBatches(PickNegLogSoftmax(Scores(state), example[i + 1])));
        }
    }

    private void RecordAlone(ComputationGraph graph, int[][] example, int sentence, List<Expression> losses)
    {
        Lstm.State state = _lstm.Start();
        for (int i = 0; i + 1 < example.Length; i++)
        {
            state = _lstm.Next(state, graph.Lookup(_words, example[i][sentence]));
            losses.Add(PickNegLogSoftmax(Scores(state), example[i + 1][sentence]));
        }
    }

    private Expression Scores(in Lstm.State state) => AffineTransform(_bias, _weight, state.H);

    // A row for each place: the words that the sentences have there.
    private static IEnumerable<int[][]> Minibatches(IEnumerable<int[]> sentences, int batch) =>
        from length in sentences.GroupBy(sentence => sentence.Length)
        from chunk in length.Chunk(batch)
        where chunk.Length == batch
        select Enumerable.Range(0, length.Key).Select(i => Array.ConvertAll(chunk, s => s[i])).ToArray();

    private static List<int[]> Sentences(string? file, out int words)
    {
        if (file is null)
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
            .. File.ReadLines(file).Where(line => line.Length > 0)
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
