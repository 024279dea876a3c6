namespace DynNet.Native.Tests;

/// <summary>The shape: how it is written, compared and printed.</summary>
[TestFixture]
public sealed class DimTests
{
    [Test]
    public void Is_written_as_a_collection_expression()
    {
        Dim dim = [8, 2];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(dim.Rank, Is.EqualTo(2));
            Assert.That(dim.Rows, Is.EqualTo(8));
            Assert.That(dim.Columns, Is.EqualTo(2));
            Assert.That(dim.Batch, Is.EqualTo(1));
            Assert.That(dim.Size, Is.EqualTo(16));
            Assert.That(dim, Is.EqualTo([8, 2]).AsCollection);
        }
    }

    [Test]
    public void Spreads_into_a_larger_shape()
    {
        Dim row = [4, 3];
        Dim table = [.. row, 10];
        Assert.That(table.ToString(), Is.EqualTo("{4,3,10}"));
    }

    [Test]
    public void Default_is_a_single_number()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(default(Dim), Is.EqualTo(Dim.Of()));
            Assert.That(default(Dim).Rank, Is.Zero);
            Assert.That(default(Dim).Size, Is.EqualTo(1));
            Assert.That(default(Dim).Batch, Is.EqualTo(1));
            Assert.That(default(Dim).ToString(), Is.EqualTo("{}"));
        }
    }

    [Test]
    public void Batch_is_apart_from_the_dimensions()
    {
        Dim dim = Dim.Of(8, 2).WithBatch(4);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(dim.Batch, Is.EqualTo(4));
            Assert.That(dim.Rank, Is.EqualTo(2));
            Assert.That(dim.BatchElementSize, Is.EqualTo(16));
            Assert.That(dim.Size, Is.EqualTo(64));
            Assert.That(dim, Is.Not.EqualTo(Dim.Of(8, 2)));
            Assert.That(dim.WithBatch(1), Is.EqualTo(Dim.Of(8, 2)));
        }
    }

    [Test]
    public void Has_as_many_dimensions_as_the_engine_takes()
    {
        int[] sizes = [.. Enumerable.Repeat(1, Dim.MaxRank - 1), 2];
        using var graph = new ComputationGraph();
        Expression x = graph.Constant(Dim.Of(sizes), 1);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(x.Dim.Rank, Is.EqualTo(Dim.MaxRank));
            Assert.That(x.Dim[Dim.MaxRank - 1], Is.EqualTo(2));
            Assert.That(Ops.PickRange(x, 1, 2, Dim.MaxRank - 1).ToArray(), Is.EqualTo(new float[] { 1 }));
            Assert.That(() => Ops.PickRange(x, 0, 1, Dim.MaxRank), Throws.ArgumentException);
            Assert.That(() => x.Dim[Dim.MaxRank], Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => Dim.Of([.. sizes, 1]), Throws.ArgumentException.With.Message.Contains($"{Dim.MaxRank}"));
        }
    }

    [Test]
    public void Prints_as_in_model_files()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Dim.Of(8).ToString(), Is.EqualTo("{8}"));
            Assert.That(Dim.Of(8, 2).ToString(), Is.EqualTo("{8,2}"));
            Assert.That(Dim.Of(8, 2).WithBatch(4).ToString(), Is.EqualTo("{8,2}X4"));
        }
    }

    [Test]
    public void Dimensions_of_size_1_at_the_end_make_no_difference()
    {
        Dim column = [8];
        Dim matrix = [8, 1];
        Dim row = [1, 8];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(column == matrix, Is.True);
            Assert.That(column.GetHashCode(), Is.EqualTo(matrix.GetHashCode()));
            Assert.That(column != row, Is.True);
            Assert.That(column.Equals((object)matrix), Is.True);
            Assert.That(column.Equals("{8}"), Is.False);
        }
    }

    [Test]
    public void Dimensions_that_it_does_not_have_are_1() => Assert.That(Dim.Of(8, 2)[6], Is.EqualTo(1));

    [TestCase(-1)]
    [TestCase(7)]
    public void A_dimension_that_no_tensor_has_is_an_error(int dimension) =>
        Assert.That(() => Dim.Of(8, 2)[dimension], Throws.TypeOf<ArgumentOutOfRangeException>());

    [TestCase(0)]
    [TestCase(-3)]
    public void Sizes_are_at_least_1(int size) =>
        Assert.That(
            () => Dim.Of(4, size),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("Dimension 1"));

    [Test]
    public void Batch_is_at_least_1() =>
        Assert.That(() => Dim.Of(4).WithBatch(0), Throws.TypeOf<ArgumentOutOfRangeException>());

    [Test]
    public void Has_at_most_7_dimensions()
    {
        Dim seven = [1, 2, 3, 4, 5, 6, 7];
        Assert.That(seven.Size, Is.EqualTo(5040));
        Assert.That(
            () => Dim.Of(1, 2, 3, 4, 5, 6, 7, 8),
            Throws.TypeOf<ArgumentException>().With.Message.Contains("at most 7").And.Message.Contains("8 were given"));
    }

    [Test]
    public void Sizes_beyond_64_bits_are_an_error_and_do_not_wrap()
    {
        Dim dim = [int.MaxValue, int.MaxValue, int.MaxValue];
        Assert.That(() => dim.Size, Throws.TypeOf<OverflowException>());
    }

    [Test]
    public void Crosses_the_border_and_back()
    {
        using var graph = new ComputationGraph();
        Dim dim = Dim.Of(2, 3, 1, 4).WithBatch(5);
        Assert.That(graph.Constant(dim, 1).Dim, Is.EqualTo(dim));
    }
}
