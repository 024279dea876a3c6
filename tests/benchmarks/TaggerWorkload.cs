using System.Text;
using static DynNet.Native.Ops;

namespace DynNet.Native.Benchmarks;

/// <summary>
/// Bidirectional LSTM tagger: words of 128, 50 each way, a layer of 32. A rare word is the unknown word, or in the
/// variant with characters the last states of a bidirectional LSTM over its bytes (20, 64 each way).
/// </summary>
internal sealed class TaggerWorkload : Workload<Sentence>
{
    private const int WordSize = 128;
    private const int Hidden = 50;
    private const int Layer = 32;
    private const int CharacterSize = 20;
    private const int CharacterHidden = 64;
    private const int Boundary = 256;

    private readonly bool _characters;
    private readonly byte[][] _rareWords;
    private readonly LookupParameter _words;
    private readonly Lstm _forward;
    private readonly Lstm _backward;
    private readonly Parameter _layerWeights;
    private readonly Parameter _tagWeights;
    private readonly LookupParameter? _characterTable;
    private readonly Lstm? _characterForward;
    private readonly Lstm? _characterBackward;

    // Kept from sentence to sentence, so that recording allocates nothing.
    private readonly List<Expression> _inputs = [];
    private readonly List<Expression> _outputs = [];
    private Expression _layer;
    private Expression _tags;

    public TaggerWorkload(Options options, bool characters)
        : this(options, characters, Tagged.All(options.DataFile))
    {
    }

    private TaggerWorkload(Options options, bool characters, Tagged data)
        : base(options, data.Sentences, "words/s")
    {
        _characters = characters;
        _rareWords = Array.ConvertAll(data.RareWords, Encoding.UTF8.GetBytes);
        // The unknown word is the last.
        _words = Model.AddLookupParameters(data.WordCount + 1, [WordSize]);
        _forward = Lstm.Create(options.Style, Model, WordSize, Hidden);
        _backward = Lstm.Create(options.Style, Model, WordSize, Hidden);
        _layerWeights = Model.AddParameters([Layer, 2 * Hidden]);
        _tagWeights = Model.AddParameters([data.TagCount, Layer]);
        if (characters)
        {
            _characterTable = Model.AddLookupParameters(Boundary + 1, [CharacterSize]);
            _characterForward = Lstm.Create(options.Style, Model, CharacterSize, CharacterHidden);
            _characterBackward = Lstm.Create(options.Style, Model, CharacterSize, CharacterHidden);
        }
    }

    protected override void Begin(ComputationGraph graph)
    {
        _forward.Begin(graph);
        _backward.Begin(graph);
        _characterForward?.Begin(graph);
        _characterBackward?.Begin(graph);
        _layer = graph.Parameter(_layerWeights);
        _tags = graph.Parameter(_tagWeights);
    }

    protected override int Record(ComputationGraph graph, Sentence example, List<Expression> losses)
    {
        _inputs.Clear();
        foreach (int word in example.Words)
            _inputs.Add(Word(graph, word));

        _outputs.Clear();
        Lstm.State state = _forward.Start();
        foreach (Expression input in _inputs)
        {
            state = _forward.Next(state, input);
            _outputs.Add(state.H);
        }

        state = _backward.Start();
        for (int i = _inputs.Count - 1; i >= 0; i--)
        {
            state = _backward.Next(state, _inputs[i]);
            Expression both = Concatenate(_outputs[i], state.H);
            losses.Add(PickNegLogSoftmax(_tags * Tanh(_layer * both), example.Tags[i]));
        }
        return example.Words.Length;
    }

    protected override long Flops(Sentence example)
    {
        long word = _forward.StepFlops + _backward.StepFlops
            + MatrixProduct.Flops(Layer, 1, 2 * Hidden) + MatrixProduct.Flops(_tagWeights.Dim.Rows, 1, Layer);
        long characters = 0;
        if (_characters)
        {
            long character = _characterForward!.StepFlops + _characterBackward!.StepFlops;
            // Each way has a boundary at either end.
            foreach (int rare in example.Words.Where(number => number < 0))
                characters += (_rareWords[-1 - rare].Length + 2) * character;
        }
        return (example.Words.Length * word) + characters;
    }

    private Expression Word(ComputationGraph graph, int word)
    {
        if (word >= 0)
            return graph.Lookup(_words, word);
        if (!_characters)
            return graph.Lookup(_words, _words.Rows - 1);

        byte[] bytes = _rareWords[-1 - word];
        Expression boundary = graph.Lookup(_characterTable!, Boundary);
        Lstm.State forward = _characterForward!.Next(_characterForward.Start(), boundary);
        Lstm.State backward = _characterBackward!.Next(_characterBackward.Start(), boundary);
        for (int i = 0; i < bytes.Length; i++)
        {
            forward = _characterForward.Next(forward, graph.Lookup(_characterTable!, bytes[i]));
            backward = _characterBackward.Next(backward, graph.Lookup(_characterTable!, bytes[^(i + 1)]));
        }
        return Concatenate(
            _characterForward.Next(forward, boundary).H, _characterBackward.Next(backward, boundary).H);
    }
}
