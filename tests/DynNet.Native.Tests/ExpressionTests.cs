using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using DynNet.Native.Interop;

namespace DynNet.Native.Tests;

/// <summary>Expressions: their values, when they are computed, and their gradients.</summary>
[TestFixture]
public sealed class ExpressionTests : GraphFixture
{
    [Test]
    public void Is_a_value_of_16_bytes() => Assert.That(Unsafe.SizeOf<Expression>(), Is.EqualTo(16));

    [Test]
    public void Knows_its_shape_and_graph_without_computing()
    {
        Expression x = Ops.Log(_graph.Constant([2, 3], -1));
        _graph.CheckValues = true;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(x.Dim, Is.EqualTo(Dim.Of(2, 3)));
            Assert.That(x.Graph, Is.SameAs(_graph));
        }
    }

    [Test]
    public void Values_come_in_every_form()
    {
        Expression x = _graph.Input([2, 2], [1, 2, 3, 4]) + 1;
        float[] copy = new float[5];
        x.CopyTo(copy);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(x.ToArray(), Is.EqualTo(new float[] { 2, 3, 4, 5 }));
            Assert.That(x.AsSpan().ToArray(), Is.EqualTo(new float[] { 2, 3, 4, 5 }));
            Assert.That(copy, Is.EqualTo(new float[] { 2, 3, 4, 5, 0 }));
            Assert.That(Ops.SumElems(x).ScalarValue(), Is.EqualTo(14f));
            Assert.That(() => x.CopyTo(new float[3]), Throws.ArgumentException);
        }
    }

    [Test]
    public void Scalar_value_is_for_one_element()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_graph.Input(2.5).ScalarValue(), Is.EqualTo(2.5f));
            Assert.That(_graph.Input([1, 1, 1], [7]).ScalarValue(), Is.EqualTo(7f));
            Assert.That(
                () => _graph.Input([1, 2]).ScalarValue(),
                Throws.TypeOf<ShapeMismatchException>().With.Message.Contains("{2}"));
            Assert.That(
                () => _graph.Input(Dim.Of(1).WithBatch(2), [1, 2]).ScalarValue(),
                Throws.TypeOf<ShapeMismatchException>());
        }
    }

    [Test]
    public void As_a_tensor_it_is_column_major()
    {
        ReadOnlyTensorSpan<float> matrix = _graph.Input([2, 3], [1, 2, 3, 4, 5, 6]).AsTensorSpan();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(matrix.Rank, Is.EqualTo(2));
            Assert.That(matrix.Lengths.ToArray(), Is.EqualTo(new nint[] { 2, 3 }));
            Assert.That(matrix[0, 0], Is.EqualTo(1f));
            Assert.That(matrix[1, 0], Is.EqualTo(2f));
            Assert.That(matrix[0, 1], Is.EqualTo(3f));
            Assert.That(matrix[1, 2], Is.EqualTo(6f));
        }
    }

    [Test]
    public void As_a_tensor_it_has_its_batch_last()
    {
        Expression x = _graph.Input(Dim.Of(2, 1, 2).WithBatch(3), [.. Enumerable.Range(0, 12).Select(i => (float)i)]);
        ReadOnlyTensorSpan<float> tensor = x.AsTensorSpan();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(tensor.Lengths.ToArray(), Is.EqualTo(new nint[] { 2, 1, 2, 3 }));
            Assert.That(tensor[1, 0, 1, 2], Is.EqualTo(11f));
            Assert.That(tensor[0, 0, 1, 1], Is.EqualTo(6f));
        }
    }

    [Test]
    public void As_a_tensor_it_may_be_a_single_number_or_all_ones()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_graph.Input(3.0).AsTensorSpan()[0], Is.EqualTo(3f));
            Assert.That(_graph.Input([], [3]).AsTensorSpan()[0], Is.EqualTo(3f));
            Assert.That(_graph.Input([1, 1, 1], [3]).AsTensorSpan()[0, 0, 0], Is.EqualTo(3f));
            Assert.That(_graph.Input([1, 4], [0, 1, 2, 3]).AsTensorSpan()[0, 2], Is.EqualTo(2f));
        }
    }

    [Test]
    public void Forward_reads_inputs_anew_and_values_alone_do_not()
    {
        Expression x = _graph.Input([1, 2]);
        Expression sum = Ops.SumElems(x);
        Assert.That(sum.ScalarValue(), Is.EqualTo(3f));

        x.SetInput(10, 20);
        Assert.That(sum.ScalarValue(), Is.EqualTo(3f), "computed before");
        sum.IncrementalForward();
        Assert.That(sum.ScalarValue(), Is.EqualTo(3f), "nothing was without a value");
        sum.Forward();
        Assert.That(sum.ScalarValue(), Is.EqualTo(30f));
    }

    [Test]
    public void Backward_reads_inputs_anew_if_parameters_have_changed()
    {
        Parameter w = _model.AddParameters([2], Initializer.Constant(1));
        Expression x = _graph.Input([1, 2]);
        Expression loss = Ops.DotProduct(w, x);
        Assert.That(loss.ScalarValue(), Is.EqualTo(3f));

        x.SetInput(10, 20);
        loss.Backward();
        Assert.That(loss.ScalarValue(), Is.EqualTo(3f), "computed before");
        Assert.That(w.Gradient.ToArray(), Is.EqualTo(new float[] { 1, 2 }));

        _model.ResetGradients();
        w.SetValues([2, 3]);
        Assert.That(loss.ScalarValue(), Is.EqualTo(3f), "computed before");
        loss.Backward();
        Assert.That(loss.ScalarValue(), Is.EqualTo(80f), "computed anew");
        Assert.That(w.Gradient.ToArray(), Is.EqualTo(new float[] { 10, 20 }));
    }

    [Test]
    public void Forward_reads_indices_anew()
    {
        LookupParameter table = _model.AddLookupParameters(3, [2], Initializer.FromArray([0, 1, 10, 11, 20, 21]));
        Expression row = _graph.Lookup(table, 0);
        Expression rows = _graph.Lookup(table, [0, 1]);
        Expression all = Ops.SumBatches(rows) + row;
        Assert.That(all.ToArray(), Is.EqualTo(new float[] { 10, 13 }));

        row.SetIndices(2);
        rows.SetIndices(1, 1);
        all.Forward();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(all.ToArray(), Is.EqualTo(new float[] { 40, 43 }));
            Assert.That(() => row.SetIndices(3), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => rows.SetIndices(1), Throws.InstanceOf<ArgumentException>(), "their number stays");
        }
    }

    [Test]
    public void Only_inputs_take_values_and_only_operations_with_indices_take_indices()
    {
        Expression x = _graph.Input([1, 2]);
        Expression y = Ops.Tanh(x);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => y.SetInput(1, 2), Throws.ArgumentException);
            Assert.That(() => y.SetIndices(1), Throws.ArgumentException);
            Assert.That(() => x.SetIndices(1), Throws.ArgumentException);
            Assert.That(() => x.SetInput(1, 2, 3), Throws.TypeOf<ShapeMismatchException>());
        }
    }

    [Test]
    public void Labels_can_be_set_anew()
    {
        Expression scores = _graph.Input([1, 2, 3]);
        Expression loss = Ops.PickNegLogSoftmax(scores, 0);
        Expression margin = Ops.Hinge(scores, 0);
        Expression pick = Ops.Pick(scores, 0);
        Assert.That(margin.ScalarValue(), Is.EqualTo(5f));
        foreach (Expression x in (Expression[])[loss, margin, pick])
            x.SetIndices(2);
        Ops.Sum(loss, margin, pick).Forward();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(loss.ScalarValue(), Is.EqualTo(0.40760596).Within(1e-6));
            Assert.That(margin.ScalarValue(), Is.Zero);
            Assert.That(pick.ScalarValue(), Is.EqualTo(3f));
        }
    }

    [Test]
    public void The_value_of_an_earlier_node_can_be_asked_for_at_any_time()
    {
        Expression x = _graph.Input([1, -2]);
        Expression square = Ops.Square(x);
        Expression root = Ops.Sqrt(square + 0.0);
        Assert.That(root.ToArray(), Is.EqualTo(new float[] { 1, 2 }));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(square.ToArray(), Is.EqualTo(new float[] { 1, 4 }));
            Assert.That(x.ToArray(), Is.EqualTo(new float[] { 1, -2 }));
        }
    }

    [Test]
    public void Backward_gives_the_gradient_of_what_leads_to_a_parameter()
    {
        Parameter w = _model.AddParameters([2], Initializer.FromArray([3, 4]));
        Expression x = _graph.Input([1, 2]);
        Expression product = Ops.CMult(w, x);
        Expression loss = Ops.SumElems(Ops.Square(product));
        loss.Backward();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(w.Gradient.ToArray(), Is.EqualTo(new float[] { 6, 32 }));
            Assert.That(product.Gradient().ToArray(), Is.EqualTo(new float[] { 6, 16 }));
            Assert.That(loss.Gradient().ToArray(), Is.EqualTo(new float[] { 1 }));
            Assert.That(_graph.Parameter(w).Gradient().ToArray(), Is.EqualTo(new float[] { 6, 32 }));
        }
    }

    [Test]
    public void Backward_in_full_gives_the_gradient_of_inputs_too()
    {
        Parameter w = _model.AddParameters([2], Initializer.FromArray([3, 4]));
        Expression x = _graph.Input([1, 2]);
        Expression loss = Ops.DotProduct(w, x);
        loss.Backward();
        Assert.That(() => x.Gradient().Length, Throws.InvalidOperationException);
        loss.Backward(full: true);
        Assert.That(x.Gradient().ToArray(), Is.EqualTo(new float[] { 3, 4 }));
    }

    [Test]
    public void Gradient_of_what_the_result_does_not_depend_on_is_zeros()
    {
        Parameter w = _model.AddParameters([2], Initializer.FromArray([3, 4]));
        Expression other = Ops.Square(_graph.Parameter(w));
        Ops.SumElems(_graph.Parameter(w)).Backward();
        Assert.That(other.Gradient().ToArray(), Is.EqualTo(new float[2]));
    }

    [Test]
    public void Gradient_without_a_backward_is_an_error()
    {
        Expression x = _graph.Input([1, 2]);
        _ = x.ToArray();
        Assert.That(() => x.Gradient().Length, Throws.InvalidOperationException);
    }

    [Test]
    public void Backward_is_for_one_number()
    {
        Parameter w = _model.AddParameters([2]);
        Expression vector = Ops.Tanh(_graph.Parameter(w));
        Expression batch = Ops.SumElems(Ops.CMult(w, _graph.Constant(Dim.Of(2).WithBatch(3), 1)));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => vector.Backward(), Throws.TypeOf<ShapeMismatchException>().With.Message.Contains("{2}"));
            Assert.That(() => batch.Backward(), Throws.TypeOf<ShapeMismatchException>().With.Message.Contains("X3"));
            Assert.That(w.Gradient.ToArray(), Is.All.Zero);
        }
    }

    [Test]
    public void Backward_of_what_holds_no_parameter_is_harmless()
    {
        Expression loss = Ops.SumElems(_graph.Input([1, 2]));
        Assert.That(() => loss.Backward(), Throws.Nothing);
    }

    [Test]
    public void Default_is_an_error_everywhere()
    {
        Expression none = default;
        Expression x = _graph.Input([1, 2]);
        using (Assert.EnterMultipleScope())
        {
            AssertStale(() => Ops.Tanh(none));
            AssertStale(() => Ops.Add(x, none));
            AssertStale(() => Ops.Add(none, x));
            AssertStale(() => Ops.Add(none, none));
            AssertStale(() => Ops.Sum(x, none, x));
            AssertStale(() => Ops.Sum(none));
            AssertStale(() => _ = none + 1);
            AssertStale(() => _ = 1 / none);
            AssertStale(() => _ = none.Dim);
            AssertStale(() => _ = none.Graph);
            AssertStale(() => none.ScalarValue());
            AssertStale(() => none.ToArray());
            AssertStale(() => none.CopyTo(new float[2]));
            AssertStale(() => _ = none.AsSpan().Length);
            AssertStale(() => _ = none.AsTensorSpan().Rank);
            AssertStale(() => none.Forward());
            AssertStale(() => none.IncrementalForward());
            AssertStale(() => none.Backward());
            AssertStale(() => _ = none.Gradient().Length);
            AssertStale(() => none.SetInput(1));
            AssertStale(() => none.SetIndices(1));
            AssertStale(() => none.ToNative());
            AssertStale(() => Ops.Tanh(Expression.FromNative(_graph, default)));
            Assert.That(none.ToString(), Is.EqualTo("default(Expression)"));
        }
    }

    [Test]
    public void Of_another_graph_is_an_error()
    {
        using var other = new ComputationGraph();
        Expression here = _graph.Input([1, 2]);
        Expression there = other.Input([1, 2]);
        using (Assert.EnterMultipleScope())
        {
            AssertStale(() => _ = here + there);
            AssertStale(() => Ops.Sum(here, here, there));
            AssertStale(() => Ops.Concatenate([here, there]));
            AssertStale(() => Ops.Tanh(Expression.FromNative(_graph, there.ToNative())));
        }
    }

    [Test]
    public void After_a_renewal_is_an_error_everywhere()
    {
        Parameter w = _model.AddParameters([2]);
        Expression x = _graph.Parameter(w) + _graph.Input([1, 2]);
        _ = x.ToArray();
        _graph.Renew();
        Expression fresh = _graph.Input([1, 2]);
        using (Assert.EnterMultipleScope())
        {
            AssertStale(() => Ops.Tanh(x));
            AssertStale(() => _ = x + fresh);
            AssertStale(() => _ = x.Dim);
            AssertStale(() => x.ScalarValue());
            AssertStale(() => x.ToArray());
            AssertStale(() => _ = x.AsSpan().Length);
            AssertStale(() => x.Forward());
            AssertStale(() => x.IncrementalForward());
            AssertStale(() => x.Backward());
            AssertStale(() => _ = x.Gradient().Length);
            AssertStale(() => x.SetInput(1, 2));
            AssertStale(() => x.SetIndices(1));
        }
    }

    [Test]
    public void Of_a_disposed_graph_is_an_error()
    {
        var graph = new ComputationGraph();
        Expression x = graph.Input([1, 2]);
        graph.Dispose();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => Ops.Tanh(x), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(() => x + x, Throws.TypeOf<ObjectDisposedException>());
            Assert.That(() => x.ToArray(), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(() => x.Dim, Throws.TypeOf<ObjectDisposedException>());
            Assert.That(() => x.Backward(), Throws.TypeOf<ObjectDisposedException>());
        }
    }

    [Test]
    public void Crosses_to_native_code_and_back()
    {
        Expression x = _graph.Input([1, 2]);
        NativeExpression native = x.ToNative();
        Expression back = Expression.FromNative(_graph, native);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Unsafe.SizeOf<NativeExpression>(), Is.EqualTo(8));
            Assert.That(back, Is.EqualTo(x));
            Assert.That(back.ToArray(), Is.EqualTo(new float[] { 1, 2 }));
            Assert.That(() => Expression.FromNative(null!, native), Throws.ArgumentNullException);
        }
    }

    [Test]
    public void Equals_the_same_node_only()
    {
        Expression x = _graph.Input([1, 2]);
        Expression y = _graph.Input([1, 2]);
        Expression copy = x;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(x == copy, Is.True);
            Assert.That(x != y, Is.True);
            Assert.That(x.Equals((object)copy), Is.True);
            Assert.That(x.GetHashCode(), Is.EqualTo(copy.GetHashCode()));
            Assert.That(x.Equals("x"), Is.False);
            Assert.That(x.ToString(), Does.StartWith("node "));
        }
    }

    private static void AssertStale(Action use) =>
        Assert.That(() => use(), Throws.TypeOf<StaleExpressionException>().With.Message.Not.Empty);
}
