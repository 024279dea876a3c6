using static DynNet.Native.Ops;

namespace DynNet.Native.Benchmarks;

/// <summary>
/// A gated recurrent unit for binary trees, which the engine does not name: each child has a reset gate of its own, and
/// the update gate chooses between the candidate and the mean of the children.
/// </summary>
internal sealed class TreeGru(Model model, int words) : TreeNetwork(model, words)
{
    // Of a leaf, which has no children to reset: the update gate and the candidate.
    private readonly Parameter _leafUpdateWeights = model.AddParameters([Hidden, WordSize]);
    private readonly Parameter _leafCandidateWeights = model.AddParameters([Hidden, WordSize]);
    private readonly Parameter _leftResetWeights = model.AddParameters([Hidden, 2 * Hidden]);
    private readonly Parameter _rightResetWeights = model.AddParameters([Hidden, 2 * Hidden]);
    private readonly Parameter _updateWeights = model.AddParameters([Hidden, 2 * Hidden]);
    private readonly Parameter _candidateWeights = model.AddParameters([Hidden, 2 * Hidden]);
    private readonly Parameter _resetBiases = model.AddParameters([Hidden], Initializer.Constant(0));
    private readonly Parameter _updateBiases = model.AddParameters([Hidden], Initializer.Constant(0));
    private readonly Parameter _candidateBiases = model.AddParameters([Hidden], Initializer.Constant(0));

    private Expression _leafUpdate, _leafCandidate, _leftReset, _rightReset, _update, _candidate;
    private Expression _resetBias, _updateBias, _candidateBias;

    protected override long LeafFlops => 2 * MatrixProduct.Flops(Hidden, 1, WordSize);

    protected override long InnerFlops => 4 * MatrixProduct.Flops(Hidden, 1, 2 * Hidden);

    protected override void BeginCells()
    {
        _leafUpdate = Graph.Parameter(_leafUpdateWeights);
        _leafCandidate = Graph.Parameter(_leafCandidateWeights);
        _leftReset = Graph.Parameter(_leftResetWeights);
        _rightReset = Graph.Parameter(_rightResetWeights);
        _update = Graph.Parameter(_updateWeights);
        _candidate = Graph.Parameter(_candidateWeights);
        _resetBias = Graph.Parameter(_resetBiases);
        _updateBias = Graph.Parameter(_updateBiases);
        _candidateBias = Graph.Parameter(_candidateBiases);
    }

    protected override TreeState Leaf(Expression x)
    {
        Expression z = Logistic(AffineTransform(_updateBias, _leafUpdate, x));
        Expression candidate = Tanh(AffineTransform(_candidateBias, _leafCandidate, x));
        return new TreeState(CMult(z, candidate));
    }

    protected override TreeState Inner(TreeState left, TreeState right)
    {
        Expression both = Concatenate(left.H, right.H);
        Expression r1 = Logistic(AffineTransform(_resetBias, _leftReset, both));
        Expression r2 = Logistic(AffineTransform(_resetBias, _rightReset, both));
        Expression z = Logistic(AffineTransform(_updateBias, _update, both));
        Expression kept = Concatenate(CMult(r1, left.H), CMult(r2, right.H));
        Expression candidate = Tanh(AffineTransform(_candidateBias, _candidate, kept));
        return new TreeState(CMult(z, candidate) + CMult(1 - z, Average(left.H, right.H)));
    }
}
