namespace DynNet.Native.Tests;

/// <summary>Expressions that are parameters which no graph has taken up yet.</summary>
[TestFixture]
public sealed class ExpressionParameterTests : GraphFixture
{
    private Parameter _w = null!;

    [SetUp]
    public void MakeParameter() => _w = _model.AddParameters([2], Initializer.FromArray([2, 3]), "W");

    [Test]
    public void From_a_parameter_is_what_the_conversion_gives()
    {
        Expression named = Expression.FromParameter(_w), converted = _w;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(named, Is.EqualTo(converted));
            Assert.That(named.Dim, Is.EqualTo(Dim.Of(2)));
            Assert.That(named.ToString(), Is.EqualTo("parameter /W {2}"));
            Assert.That((named + _graph.Input([10, 20])).ToArray(), Is.EqualTo(new float[] { 12, 23 }));
            Assert.That(() => Expression.FromParameter(null!), Throws.ArgumentNullException);
        }
    }

    [Test]
    public void Has_no_value_and_says_what_to_write()
    {
        Expression e = _w;
        using (Assert.EnterMultipleScope())
        {
            AssertNamesNoGraph(() => _ = e.Graph);
            AssertNamesNoGraph(() => e.ToNative());
            AssertNamesNoGraph(e.Forward);
            AssertNamesNoGraph(e.IncrementalForward);
            AssertNamesNoGraph(() => e.ScalarValue());
            AssertNamesNoGraph(() => _ = e.AsSpan().Length);
            AssertNamesNoGraph(() => _ = e.AsTensorSpan().Rank);
            AssertNamesNoGraph(() => e.ToArray());
            AssertNamesNoGraph(() => e.CopyTo(new float[2]));
            AssertNamesNoGraph(() => e.Backward());
            AssertNamesNoGraph(() => _ = e.Gradient().Length);
            AssertNamesNoGraph(() => e.SetInput(1, 2));
            AssertNamesNoGraph(() => e.SetIndices(1));
            AssertNamesNoGraph(() => e.ArgMax());
            AssertNamesNoGraph(() => e.ArgMax(0));
            AssertNamesNoGraph(() => e.TopK(1));
            AssertNamesNoGraph(() => e.Sample());
            AssertNamesNoGraph(() => e.Sample(1));
        }
    }

    [Test]
    public void Operators_need_another_operand_that_names_a_graph()
    {
        Expression e = _w;
        using (Assert.EnterMultipleScope())
        {
            AssertNamesNoGraph(() => _ = e + e);
            AssertNamesNoGraph(() => _ = e - e);
            AssertNamesNoGraph(() => _ = e * e);
            AssertNamesNoGraph(() => _ = e / e);
            AssertNamesNoGraph(() => _ = e + 1);
            AssertNamesNoGraph(() => _ = 1 - e);
            AssertNamesNoGraph(() => _ = -e);
            AssertNamesNoGraph(() => _ = 2 * e);
            AssertNamesNoGraph(() => _ = e / 2);
            AssertNamesNoGraph(() => _ = 2 / e);
        }
    }

    private static void AssertNamesNoGraph(Action use) => Assert.That(
        () => use(), Throws.TypeOf<ArgumentException>().With.Message.Contains("graph.Parameter(W)"));
}
