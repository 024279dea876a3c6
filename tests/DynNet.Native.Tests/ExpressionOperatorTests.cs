namespace DynNet.Native.Tests;

/// <summary>Operators: each is the operation that its sign stands for.</summary>
[TestFixture]
public sealed class ExpressionOperatorTests
{
    private ComputationGraph _graph = null!;
    private Expression _x;
    private Expression _y;

    [SetUp]
    public void MakeGraph()
    {
        _graph = new ComputationGraph();
        _x = _graph.Input([2, 4]);
        _y = _graph.Input([8, 2]);
    }

    [TearDown]
    public void DisposeGraph() => _graph.Dispose();

    [Test]
    public void Between_expressions()
    {
        Expression matrix = _graph.Input([2, 2], [1, 2, 3, 4]);
        using (Assert.EnterMultipleScope())
        {
            AssertValue(_x + _y, 10, 6);
            AssertValue(_x - _y, -6, 2);
            AssertValue(_x / _y, 0.25f, 2);
            AssertValue(matrix * _x, 14, 20);
            AssertValue(-_x, -2, -4);
        }
    }

    [Test]
    public void With_numbers_on_either_side()
    {
        using (Assert.EnterMultipleScope())
        {
            AssertValue(_x + 0.5, 2.5f, 4.5f);
            AssertValue(0.5 + _x, 2.5f, 4.5f);
            AssertValue(_x - 0.5, 1.5f, 3.5f);
            AssertValue(0.5 - _x, -1.5f, -3.5f);
            AssertValue(_x * 0.5, 1, 2);
            AssertValue(0.5 * _x, 1, 2);
            AssertValue(_x / 2, 1, 2);
            AssertValue(8 / _x, 4, 2);
        }
    }

    [Test]
    public void A_quotient_by_a_number_is_that_of_floats()
    {
        Expression x = _graph.Input([1, 7]);
        Assert.That((x / 49).ToArray(), Is.EqualTo(new[] { 1f / 49, 7f / 49 }));
    }

    [Test]
    public void With_a_number_on_the_left_one_node_is_recorded()
    {
        long before = _graph.NodeCount;
        _ = 0.5 - _x;
        _ = 0.5 / _x;
        _ = _x / 0.5;
        _ = _x - 0.5;
        Assert.That(_graph.NodeCount, Is.EqualTo(before + 4));
    }

    [Test]
    public void With_numbers_of_any_type()
    {
        const float Single = 0.5f;
        const int Whole = 2;
        using (Assert.EnterMultipleScope())
        {
            AssertValue(Single * _x, 1, 2);
            AssertValue(Whole * _x, 4, 8);
            AssertValue(_x * 3L, 6, 12);
        }
    }

    [Test]
    public void A_sum_is_broadcast()
    {
        Expression matrix = _graph.Input([2, 2], [1, 2, 3, 4]);
        AssertValue(matrix + _x, 3, 6, 5, 8);
    }

    [Test]
    public void A_number_divided_by_a_matrix_has_its_shape()
    {
        Expression result = 12 / _graph.Input([2, 2], [1, 2, 3, 4]);
        Assert.That(result.Dim, Is.EqualTo(Dim.Of(2, 2)));
        AssertValue(result, 12, 6, 4, 3);
    }

    [Test]
    public void With_parameters_on_either_side()
    {
        using var model = new Model();
        Parameter w = model.AddParameters([2, 2], Initializer.FromArray([1, 2, 3, 4]));
        Parameter b = model.AddParameters([2], Initializer.FromArray([1, 2]));
        using (Assert.EnterMultipleScope())
        {
            AssertValue(w * _x, 14, 20);
            AssertValue(w * _x + b, 15, 22);
            AssertValue(b - _x, -1, -2);
            AssertValue(_x / b, 2, 2);
        }
    }

    private static void AssertValue(Expression x, params float[] expected) =>
        Assert.That(x.ToArray(), Is.EqualTo(expected).Within(1e-6));
}
