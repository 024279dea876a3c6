using static DynNet.Native.Ops;

namespace DynNet.Native.Benchmarks;

/// <summary>
/// A tagger of words of 128 by a recurrent cell of 128 that the engine does not name: each word's tag by what the cell
/// has read so far.
/// </summary>
internal sealed class RecurrentWorkload : Workload<Sentence>
{
    private const int WordSize = 128;
    private const int Hidden = 128;

    private readonly LookupParameter _words;
    private readonly MinimalGatedUnit _cell;
    private readonly Parameter _tagWeights;
    private readonly long _wordFlops;
    private Expression _tags;

    public RecurrentWorkload(Options options)
        : this(options, Tagged.All(options.DataFile))
    {
    }

    private RecurrentWorkload(Options options, Tagged data)
        : base(options, data.Sentences, "words/s")
    {
        // The unknown word, which stands for all rare ones, is the last.
        _words = Model.AddLookupParameters(data.WordCount + 1, [WordSize]);
        _cell = new MinimalGatedUnit(Model, WordSize, Hidden);
        _tagWeights = Model.AddParameters([data.TagCount, Hidden]);
        _wordFlops = _cell.StepFlops + MatrixProduct.Flops(data.TagCount, 1, Hidden);
    }

    protected override void Begin(ComputationGraph graph)
    {
        _cell.Begin(graph);
        _tags = graph.Parameter(_tagWeights);
    }

    protected override int Record(ComputationGraph graph, Sentence example, List<Expression> losses)
    {
        Expression h = graph.Constant([Hidden], 0);
        for (int i = 0; i < example.Words.Length; i++)
        {
            int word = example.Words[i];
            h = _cell.Next(h, graph.Lookup(_words, word >= 0 ? word : _words.Rows - 1));
            losses.Add(PickNegLogSoftmax(_tags * h, example.Tags[i]));
        }
        return example.Words.Length;
    }

    protected override long Flops(Sentence example) => example.Words.Length * _wordFlops;
}

/// <summary>
/// The minimal gated unit (Zhou et al. 2016): f = logistic(affine(x, h)), g = tanh(affine(x, f * h)),
/// h' = (1 - f) * h + f * g.
/// </summary>
internal sealed class MinimalGatedUnit(Model model, int inputSize, int hidden)
{
    private readonly Parameter _forgetX = model.AddParameters([hidden, inputSize]);
    private readonly Parameter _forgetH = model.AddParameters([hidden, hidden]);
    private readonly Parameter _forgetB = model.AddParameters([hidden], Initializer.Constant(0));
    private readonly Parameter _candidateX = model.AddParameters([hidden, inputSize]);
    private readonly Parameter _candidateH = model.AddParameters([hidden, hidden]);
    private readonly Parameter _candidateB = model.AddParameters([hidden], Initializer.Constant(0));

    private Expression _fx, _fh, _fb, _gx, _gh, _gb;

    /// <summary>The operations of the matrix products of a step, forward.</summary>
    public long StepFlops { get; } = 2 * MatrixProduct.Flops(hidden, 1, inputSize + hidden);

    /// <summary>Records the parameters, once for a graph.</summary>
    public void Begin(ComputationGraph graph)
    {
        _fx = graph.Parameter(_forgetX);
        _fh = graph.Parameter(_forgetH);
        _fb = graph.Parameter(_forgetB);
        _gx = graph.Parameter(_candidateX);
        _gh = graph.Parameter(_candidateH);
        _gb = graph.Parameter(_candidateB);
    }

    public Expression Next(Expression h, Expression x)
    {
        Expression f = Logistic(AffineTransform(_fb, _fx, x, _fh, h));
        Expression g = Tanh(AffineTransform(_gb, _gx, x, _gh, CMult(f, h)));
        return CMult(1 - f, h) + CMult(f, g);
    }
}
