using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>The forms of the LSTM's gates that take parts, masks and noise, against the plain one.</summary>
[TestFixture]
public sealed class LstmGatesTests
{
    private Model _model = null!;
    private ComputationGraph _graph = null!;
    private Parameter _wx = null!;
    private Parameter _wh = null!;
    private Parameter _b = null!;

    [SetUp]
    public void MakeCell()
    {
        _model = new Model(seed: 1);
        _graph = new ComputationGraph(seed: 1);
        _wx = _model.AddParameters([8, 3]);
        _wh = _model.AddParameters([8, 2]);
        _b = _model.AddParameters([8], Initializer.Normal(0, 1));
    }

    [TearDown]
    public void DisposeCell()
    {
        _graph.Dispose();
        _model.Dispose();
    }

    [Test]
    public void Parts_are_one_input()
    {
        float[] expected = VanillaLstmGates(_graph.Input([1, 2, 3]), H, _wx, _wh, _b).ToArray();
        Expression inParts = VanillaLstmGatesConcat([_graph.Input([1]), _graph.Input([2, 3])], H, _wx, _wh, _b);
        Assert.That(inParts.ToArray(), Is.EqualTo(expected));
    }

    [Test]
    public void Masks_multiply_input_and_output()
    {
        float[] expected = VanillaLstmGates(_graph.Input([0, 4, 6]), _graph.Input([-2, 0]), _wx, _wh, _b).ToArray();
        Expression maskX = _graph.Input([0, 2, 2]);
        Expression maskH = _graph.Input([2, 0]);
        Expression masked = VanillaLstmGatesDropout(_graph.Input([1, 2, 3]), H, _wx, _wh, _b, maskX, maskH);
        Expression inParts = VanillaLstmGatesDropoutConcat(
            [_graph.Input([1]), _graph.Input([2, 3])], H, _wx, _wh, _b, maskX, maskH);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(masked.ToArray(), Is.EqualTo(expected));
            Assert.That(inParts.ToArray(), Is.EqualTo(expected));
        }
    }

    [Test]
    public void Parts_and_masks_have_the_gradients_of_the_formula()
    {
        Parameter[] parts = [_model.AddParameters([1]), _model.AddParameters([2])];
        Parameter last = _model.AddParameters([2]);
        BuilderChecks.Fill(_model);
        Expression[] xs = [_graph.Parameter(parts[0]), _graph.Parameter(parts[1])];
        Expression x = Concatenate(xs), h = _graph.Parameter(last);
        Expression maskX = _graph.Input([1.5f, 0, 2]), maskH = _graph.Input([0.5f, 2]);
        Expression maskedX = CMult(x, maskX), maskedH = CMult(h, maskH);
        AssertFollows(VanillaLstmGatesConcat(xs, h, _wx, _wh, _b), x, h);
        AssertFollows(VanillaLstmGatesDropout(x, h, _wx, _wh, _b, maskX, maskH), maskedX, maskedH);
        AssertFollows(VanillaLstmGatesDropoutConcat(xs, h, _wx, _wh, _b, maskX, maskH), maskedX, maskedH);

        void AssertFollows(Expression gates, Expression input, Expression before)
        {
            Expression sums = _wx * input + _wh * before + _b;
            BuilderChecks.AssertSame(
                _model,
                gates,
                Concatenate(
                    Logistic(PickRange(sums, 0, 2)),
                    Logistic(PickRange(sums, 2, 4) + 1),
                    Logistic(PickRange(sums, 4, 6)),
                    Tanh(PickRange(sums, 6, 8))));
            var check = GradientCheck.Run(SumElems(Square(gates + 0.5)), _model);
            using (Assert.EnterMultipleScope())
            {
                Assert.That(check.Passed, Is.True, check.Report);
                Assert.That(check.Elements, Is.EqualTo(8 * 3 + 8 * 2 + 8 + 3 + 2));
                foreach (Parameter parameter in _model.Parameters)
                    Assert.That(parameter.Gradient.ToArray(), Has.Some.Not.Zero, parameter.Name);
            }
        }
    }

    [Test]
    public void Noise_is_added_to_the_weights_and_lets_gradients_through()
    {
        Expression x = _graph.Input([1, 2, 3]);
        Expression plain = VanillaLstmGates(x, H, _wx, _wh, _b);
        Expression noisy = VanillaLstmGates(x, H, _wx, _wh, _b, weightNoise: 0.1);
        Expression again = VanillaLstmGates(x, H, _wx, _wh, _b, weightNoise: 0.1);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(noisy.ToArray(), Is.Not.EqualTo(plain.ToArray()));
            Assert.That(noisy.ToArray(), Is.Not.EqualTo(again.ToArray()), "noise is drawn for each step");
            Assert.That(noisy.ToArray(), Is.EqualTo(plain.ToArray()).Within(0.6f));
            Assert.That(VanillaLstmGates(x, H, _wx, _wh, _b, weightNoise: 0).ToArray(), Is.EqualTo(plain.ToArray()));
            Assert.That(GradientCheck.Run(SumElems(noisy), _model).Passed, Is.True);
        }
    }

    [Test]
    public void Any_operand_names_the_graph()
    {
        Parameter x = _model.AddParameters([3]), h = _model.AddParameters([2]);
        Parameter[] parts = [_model.AddParameters([1]), _model.AddParameters([2])];
        Parameter maskX = _model.AddParameters([3]), maskH = _model.AddParameters([2]);
        BuilderChecks.Fill(_model);
        Expression[] xs = [parts[0], parts[1]];
        Expression inGraph = _graph.Parameter(x), h2 = _graph.Parameter(h), joined = _graph.Parameter(parts[0]);
        float[] plain = VanillaLstmGates(inGraph, h2, _wx, _wh, _b).ToArray();
        float[] ofParts = VanillaLstmGates(Concatenate(joined, parts[1]), h2, _wx, _wh, _b).ToArray();
        float[] masked =
            VanillaLstmGates(CMult(inGraph, maskX), CMult(h2, maskH), _wx, _wh, _b).ToArray();
        float[] both = VanillaLstmGates(
            CMult(Concatenate(joined, parts[1]), maskX), CMult(h2, maskH), _wx, _wh, _b).ToArray();
        using (Assert.EnterMultipleScope())
        {
            foreach (int named in Enumerable.Range(0, 4))
            {
                Expression h1 = Named(0, h), wx = Named(1, _wx), wh = Named(2, _wh), b = Named(3, _b);
                Assert.That(VanillaLstmGates(x, h1, wx, wh, b, weightNoise: 0).ToArray(), Is.EqualTo(plain));
                Assert.That(
                    VanillaLstmGates(x, h1, wx, wh, b, weightNoise: 1e-7).ToArray(), Is.EqualTo(plain).Within(1e-4f));
                Assert.That(VanillaLstmGatesConcat(xs, h1, wx, wh, b).ToArray(), Is.EqualTo(ofParts));
                Assert.That(
                    VanillaLstmGatesDropout(x, h1, wx, wh, b, maskX, maskH).ToArray(), Is.EqualTo(masked));
                Assert.That(
                    VanillaLstmGatesDropoutConcat(xs, h1, wx, wh, b, maskX, maskH).ToArray(), Is.EqualTo(both));

                Expression Named(int operand, Parameter parameter) =>
                    named == operand ? _graph.Parameter(parameter) : parameter;
            }
            Assert.That(
                VanillaLstmGatesDropout(x, h, _wx, _wh, _b, maskX, _graph.Parameter(maskH)).ToArray(),
                Is.EqualTo(masked));
            Assert.That(
                VanillaLstmGatesDropoutConcat(xs, h, _wx, _wh, _b, _graph.Parameter(maskX), maskH).ToArray(),
                Is.EqualTo(both));
            Assert.That(
                () => VanillaLstmGatesConcat(xs, h, _wx, _wh, _b),
                Throws.ArgumentException.With.Message.Contain("graph.Parameter"));
            Assert.That(
                () => VanillaLstmGatesDropout(x, h, _wx, _wh, _b, maskX, maskH),
                Throws.ArgumentException.With.Message.Contain("graph.Parameter"));
        }
    }

    [Test]
    public void Parts_may_come_one_by_one()
    {
        Expression one = _graph.Input([1]), two = _graph.Input([2, 3]), h = H;
        Expression maskX = _graph.Input([0, 2, 2]), maskH = _graph.Input([2, 0]);
        float[] plain = VanillaLstmGatesConcat([one, two], h, _wx, _wh, _b).ToArray();
        float[] masked = VanillaLstmGatesDropoutConcat([one, two], h, _wx, _wh, _b, maskX, maskH).ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(VanillaLstmGatesConcat(Parts(), h, _wx, _wh, _b).ToArray(), Is.EqualTo(plain));
            Assert.That(
                VanillaLstmGatesDropoutConcat(Parts(), h, _wx, _wh, _b, maskX, maskH).ToArray(), Is.EqualTo(masked));
        }

        IEnumerable<Expression> Parts()
        {
            yield return one;
            yield return two;
        }
    }

    [Test]
    public void What_does_not_fit_is_refused()
    {
        Expression x = _graph.Input([1, 2, 3]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => VanillaLstmGatesConcat([], H, _wx, _wh, _b),
                Throws.ArgumentException.With.Message.Contain("at least one"));
            Assert.That(
                () => VanillaLstmGatesDropout(x, H, _wx, _wh, _b, _graph.Input([1, 1]), H),
                Throws.TypeOf<ShapeMismatchException>().With.Message.Contain("{2}"));
            Assert.That(() => VanillaLstmGates(x, H, _wx, _wh, _b, weightNoise: -1), Throws.ArgumentException);
        }
    }

    private Expression H => _graph.Input([-1, 0.5f]);
}
