using static DynNet.Native.Ops;

namespace DynNet.Native.Benchmarks;

/// <summary>A spelling and its sounds, as numbers; 0 is neither.</summary>
internal sealed record Word(int[] Letters, int[] Phonemes)
{
    // What CMUdict is like.
    private const int Count = 20_000;
    private const int MadeUpLetters = 27;
    private const int MadeUpPhonemes = 39;
    private const double MeanLetters = 7.5;
    private const double MeanPhonemes = 6.4;
    private const double Deviation = 2.1;

    /// <summary>Reads words from a dictionary of CMUdict's format, or makes some.</summary>
    public static Word[] All(string? file, out int letters, out int phonemes)
    {
        if (file is null)
        {
            letters = MadeUpLetters;
            phonemes = MadeUpPhonemes;
            var random = new Random(Options.Seed);
            return
            [
                .. Enumerable.Range(0, Count).Select(_ => new Word(
                    Draw(random, MeanLetters, MadeUpLetters), Draw(random, MeanPhonemes, MadeUpPhonemes))),
            ];
        }
        var letterNumbers = new Numbering();
        var phonemeNumbers = new Numbering();
        Word[] words =
        [
            .. File.ReadLines(file).Select(line => line.Split(' '))
                .Where(fields => !fields[0].EndsWith(')'))
                .Select(fields => new Word(
                    [.. fields[0].Select(letter => letterNumbers[$"{letter}"] + 1)],
                    [.. fields.Skip(1).Select(phoneme => phonemeNumbers[phoneme] + 1)])),
        ];
        letters = letterNumbers.Count;
        phonemes = phonemeNumbers.Count;
        new Random(Options.Seed).Shuffle(words);
        return words;
    }

    private static int[] Draw(Random random, double meanLength, int symbols) =>
        [.. Enumerable.Range(0, random.NextLength(meanLength, Deviation)).Select(_ => random.Next(symbols) + 1)];
}

/// <summary>
/// The network of the sample pronounce.cs: letters of 64, a bidirectional LSTM of 64 each way, a decoder of 128 with
/// attention over phonemes of 64.
/// </summary>
internal sealed class PronounceWorkload : Workload<Word>
{
    private const int SymbolSize = 64;
    private const int EncoderHidden = 64;
    private const int DecoderHidden = 128;
    private const int Boundary = 0;

    private readonly LookupParameter _letters;
    private readonly LookupParameter _phonemes;
    private readonly Lstm _forward;
    private readonly Lstm _backward;
    private readonly Lstm _decoder;
    private readonly Dense _start;
    private readonly Dense _contextLayer;
    private readonly Dense _output;
    private readonly Parameter _stateWeights;

    private readonly List<Expression> _inputs = [];
    private readonly List<Expression> _forwards = [];
    private readonly List<Expression> _columns = [];
    private Expression _stateWeight;

    public PronounceWorkload(Options options)
        : this(options, Word.All(options.DataFile, out int letters, out int phonemes), letters, phonemes)
    {
    }

    private PronounceWorkload(Options options, Word[] words, int letters, int phonemes)
        : base(options, words, "words/s")
    {
        _letters = Model.AddLookupParameters(letters + 1, [SymbolSize]);
        _phonemes = Model.AddLookupParameters(phonemes + 1, [SymbolSize]);
        _forward = Lstm.Create(options.Style, Model, SymbolSize, EncoderHidden);
        _backward = Lstm.Create(options.Style, Model, SymbolSize, EncoderHidden);
        _decoder = Lstm.Create(options.Style, Model, SymbolSize, DecoderHidden);
        _start = new Dense(Model, DecoderHidden, 2 * EncoderHidden);
        _contextLayer = new Dense(Model, DecoderHidden, 2 * EncoderHidden);
        _stateWeights = Model.AddParameters([DecoderHidden, DecoderHidden]);
        _output = new Dense(Model, phonemes + 1, DecoderHidden);
    }

    protected override void Begin(ComputationGraph graph)
    {
        foreach (Lstm lstm in (ReadOnlySpan<Lstm>)[_forward, _backward, _decoder])
            lstm.Begin(graph);
        foreach (Dense layer in (ReadOnlySpan<Dense>)[_start, _contextLayer, _output])
            layer.Begin(graph);
        _stateWeight = graph.Parameter(_stateWeights);
    }

    protected override int Record(ComputationGraph graph, Word example, List<Expression> losses)
    {
        Expression memory = Encode(graph, example.Letters, out Expression last);
        Expression keys = Transpose(memory);

        // The decoder's states do not depend on what it attends to, so all of a word's are attended from at once.
        _columns.Clear();
        Lstm.State state = _decoder.Start(Tanh(_start.Of(last)));
        int previous = Boundary;
        for (int i = 0; i <= example.Phonemes.Length; i++)
        {
            state = _decoder.Next(state, graph.Lookup(_phonemes, previous));
            _columns.Add(state.H);
            if (i < example.Phonemes.Length)
                previous = example.Phonemes[i];
        }
        Expression states = ConcatenateCols(_columns);
        Expression contexts = memory * Softmax(keys * states);
        Expression scores = _output.Of(Tanh(_contextLayer.Of(contexts, _stateWeight, states)));

        Dim symbols = [scores.Dim.Rows];
        losses.Add(SumBatches(PickNegLogSoftmax(
            Reshape(scores, symbols.WithBatch(_columns.Count)), [.. example.Phonemes, Boundary])));
        return 1;
    }

    protected override long Flops(Word example)
    {
        int places = example.Letters.Length + 2;
        int steps = example.Phonemes.Length + 1;
        long attention = MatrixProduct.Flops(places, steps, DecoderHidden)
            + MatrixProduct.Flops(2 * EncoderHidden, steps, places);
        return (places * (_forward.StepFlops + _backward.StepFlops)) + _start.Flops(columns: 1)
            + (steps * _decoder.StepFlops) + attention
            + _contextLayer.Flops(steps) + MatrixProduct.Flops(DecoderHidden, steps, DecoderHidden)
            + _output.Flops(steps);
    }

    // A column for each letter, and a boundary before and after them.
    private Expression Encode(ComputationGraph graph, int[] letters, out Expression last)
    {
        _inputs.Clear();
        _forwards.Clear();
        Expression boundary = graph.Lookup(_letters, Boundary);
        _inputs.Add(boundary);
        foreach (int letter in letters)
            _inputs.Add(graph.Lookup(_letters, letter));
        _inputs.Add(boundary);

        Lstm.State state = _forward.Start();
        foreach (Expression input in _inputs)
        {
            state = _forward.Next(state, input);
            _forwards.Add(state.H);
        }
        Expression end = state.H;

        _columns.Clear();
        state = _backward.Start();
        for (int i = _inputs.Count - 1; i >= 0; i--)
        {
            state = _backward.Next(state, _inputs[i]);
            _columns.Add(Concatenate(_forwards[i], state.H));
        }
        _columns.Reverse();
        last = Concatenate(end, state.H);
        return ConcatenateCols(_columns);
    }

    private sealed class Dense(Model model, int size, int inputSize)
    {
        private readonly Parameter _w = model.AddParameters([size, inputSize]);
        private readonly Parameter _b = model.AddParameters([size], Initializer.Constant(0));
        private Expression _weight;
        private Expression _bias;

        public void Begin(ComputationGraph graph)
        {
            _weight = graph.Parameter(_w);
            _bias = graph.Parameter(_b);
        }

        public long Flops(int columns) => MatrixProduct.Flops(size, columns, inputSize);

        public Expression Of(Expression x) => AffineTransform(_bias, _weight, x);

        public Expression Of(Expression x, Expression secondWeight, Expression second) =>
            AffineTransform(_bias, _weight, x, secondWeight, second);
    }
}
