using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>Dropout in LSTMs over trees.</summary>
[TestFixture]
public sealed class TreeLstmDropoutTests
{
    private static readonly string[] s_kinds = ["nary", "child sum", "unidirectional", "bidirectional"];

    private Model _model = null!;
    private ComputationGraph _graph = null!;

    private static IEnumerable<string> Kinds => s_kinds;

    [SetUp]
    public void MakeGraph()
    {
        _model = new Model();
        _graph = new ComputationGraph(seed: 1);
    }

    [TearDown]
    public void DisposeGraph()
    {
        _graph.Dispose();
        _model.Dispose();
    }

    [TestCaseSource(nameof(Kinds))]
    public void All_nodes_of_a_state_have_the_same_masks(string kind)
    {
        using TreeLstmBuilder builder = Make(kind, _model);
        Expression x = Inputs()[0];
        TreeLstmState before = builder.InitialState(_graph);
        float[] without = Tree(before);
        builder.SetDropout(0.5);
        float[][] outputs =
        [
            .. Enumerable.Range(0, 8).Select(_ =>
            {
                TreeLstmState trees = builder.InitialState(_graph);
                float[] first = Tree(trees);
                Assert.That(Tree(trees), Is.EqualTo(first));
                return first;
            }),
        ];
        TreeLstmState started = builder.InitialState(_graph);
        float[] under = Tree(started);
        builder.DisableDropout();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(outputs, Has.Some.Not.EqualTo(without));
            Assert.That(outputs.Select(values => string.Join(" ", values)).Distinct().Count(), Is.GreaterThan(1));
            Assert.That(Tree(before), Is.EqualTo(without), "started before");
            Assert.That(Tree(started), Is.EqualTo(under), "started under it");
            Assert.That(Tree(builder.InitialState(_graph)), Is.EqualTo(without), "started after");
        }

        float[] Tree(TreeLstmState trees) =>
            trees.AddInput(x, trees.AddInput(x), trees.AddInput(x)).Output.ToArray();
    }

    [TestCase("nary")]
    [TestCase("child sum")]
    [TestCase("unidirectional")]
    public void Masks_are_for_inputs_and_for_what_recurs(string kind)
    {
        using TreeLstmBuilder builder = Make(kind, _model);
        BuilderChecks.Fill(_model);
        Expression[] xs = Inputs();
        TreeLstmState whole = builder.InitialState(_graph);
        builder.SetDropout(0.5, 0.5);
        TreeLstmState trees = builder.InitialState(_graph);
        TreeLstmNode left = trees.AddInput(xs[0]), right = trees.AddInput(xs[1]);
        Expression top = trees.AddInput(xs[2], left, right, left).Output;
        Expression single = trees.AddInput(xs[0], right).Output;

        // Nothing recurs in a leaf of one step.
        Expression ones = _graph.Constant([4], 1);
        Expression inputMask = BuilderChecks.Masks(_graph, 4).First(
            mask => IsSame(left.Output, Node(mask, ones, xs[0]).H) && IsSame(right.Output, Node(mask, ones, xs[1]).H));
        Expression hiddenMask = BuilderChecks.Masks(_graph, 4).First(mask => IsSame(top, Top(mask)));
        BuilderChecks.AssertSame(_model, top, Top(hiddenMask));
        BuilderChecks.AssertSame(_model, single, Node(inputMask, hiddenMask, xs[0], Leaf(hiddenMask, 1)).H);

        Expression Top(Expression mask) =>
            Node(inputMask, mask, xs[2], Leaf(mask, 0), Leaf(mask, 1), Leaf(mask, 0)).H;

        (Expression C, Expression H) Leaf(Expression mask, int which) => Node(inputMask, mask, xs[which]);

        // A node, of what has no dropout.
        (Expression C, Expression H) Node(
            Expression maskX, Expression maskH, Expression x, params (Expression C, Expression H)[] children)
        {
            if (builder is UnidirectionalTreeLstmBuilder chain)
            {
                chain.DisableDropout();
                LstmState state = chain.NodeBuilder.InitialState(_graph).AddInput(CMult(x, maskX));
                foreach ((_, Expression h) in children)
                    state = state.SetH(CMult(state.H(0), maskH)).AddInput(CMult(h, maskX));
                return (state.C(0), state.H(0));
            }
            TreeLstmNode node = whole.AddInput(
                CMult(x, maskX), [.. children.Select(child => whole.AddNode(child.C, CMult(child.H, maskH)))]);
            return (node.C(0), node.H(0));
        }
    }

    [TestCase("nary")]
    [TestCase("child sum")]
    public void Each_layer_has_its_masks_and_inputs_may_be_dropped_alone(string kind)
    {
        using TreeLstmBuilder builder = Make(kind, _model, layers: 2);
        BuilderChecks.Fill(_model);
        Expression x = Inputs()[0], given = Inputs()[1];
        TreeLstmState whole = builder.InitialState(_graph);
        builder.SetDropout(0, 0.5);
        float[] leaf = builder.InitialState(_graph).AddInput(x).Output.ToArray();
        Assert.That(leaf, Is.EqualTo(whole.AddInput(x).Output.ToArray()), "nothing recurs in a leaf");
        TreeLstmState trees = builder.InitialState(_graph, given, given, given, given);
        TreeLstmNode node = trees.AddInput(x);
        (Expression First, Expression Second) masks = BuilderChecks.Masks(_graph, 4)
            .SelectMany(first => BuilderChecks.Masks(_graph, 4).Select(second => (first, second)))
            .First(pair => IsSame(node.Output, Started(pair.first, pair.second)));
        BuilderChecks.AssertSame(_model, node.Output, Started(masks.First, masks.Second));

        Expression Started(Expression first, Expression second) => whole.AddInput(
            x, whole.AddNode(given, given, CMult(given, first), CMult(given, second))).Output;
    }

    [TestCaseSource(nameof(Kinds))]
    public void A_rate_out_of_its_range_is_an_error(string kind)
    {
        TreeLstmBuilder builder = Make(kind, _model);
        using (Assert.EnterMultipleScope())
        {
            foreach (double rate in (ReadOnlySpan<double>)[1, -0.1, double.NaN])
            {
                Assert.That(() => builder.SetDropout(rate), Throws.ArgumentException);
                Assert.That(() => builder.SetDropout(0.5, rate), Throws.ArgumentException);
                Assert.That(() => builder.SetDropout(rate, 0.5), Throws.ArgumentException);
            }
        }
        builder.Dispose();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => builder.SetDropout(0.5), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(builder.DisableDropout, Throws.TypeOf<ObjectDisposedException>());
        }
    }

    private static TreeLstmBuilder Make(string kind, Model model, int layers = 1) => kind switch
    {
        "nary" => new NaryTreeLstmBuilder(model, 2, layers, 4, 4),
        "child sum" => new ChildSumTreeLstmBuilder(model, layers, 4, 4),
        "unidirectional" => new UnidirectionalTreeLstmBuilder(model, layers, 4, 4),
        _ => new BidirectionalTreeLstmBuilder(model, layers, 4, 4),
    };

    private static bool IsSame(Expression left, Expression right) =>
        left.ToArray().Zip(right.ToArray(), (a, b) => Math.Abs(a - b)).Max() < 1e-6;

    private Expression[] Inputs() =>
        [_graph.Input([1, -2, 0.5f, 0.1f]), _graph.Input([0.3f, 0.1f, -0.7f, 1]), _graph.Input([-1, 0.25f, 2, -0.5f])];
}
