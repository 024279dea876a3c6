using DynNet.Native.Interop;

namespace DynNet.Native.Tests;

/// <summary>The one table from native statuses to exceptions.</summary>
[TestFixture]
public sealed class StatusTests
{
    private static readonly Dictionary<NativeStatus, Type> Table = new()
    {
        [NativeStatus.Argument] = typeof(ArgumentException),
        [NativeStatus.Shape] = typeof(ShapeMismatchException),
        [NativeStatus.Stale] = typeof(StaleExpressionException),
        [NativeStatus.Index] = typeof(ArgumentOutOfRangeException),
        [NativeStatus.Busy] = typeof(InvalidOperationException),
        [NativeStatus.Memory] = typeof(InsufficientMemoryException),
        [NativeStatus.Format] = typeof(ModelFormatException),
        [NativeStatus.NotFound] = typeof(FileNotFoundException),
        [NativeStatus.Io] = typeof(IOException),
        [NativeStatus.Disposed] = typeof(ObjectDisposedException),
        [NativeStatus.Value] = typeof(NotFiniteNumberException),
        [NativeStatus.Device] = typeof(DeviceException),
        [NativeStatus.State] = typeof(InvalidOperationException),
        [NativeStatus.Cancelled] = typeof(OperationCanceledException),
        [NativeStatus.Internal] = typeof(DynNetException),
        [NativeStatus.Permission] = typeof(UnauthorizedAccessException),
    };

    [Test]
    public void Every_status_has_its_exception()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Table.Keys.Append(NativeStatus.Ok), Is.EquivalentTo(Enum.GetValues<NativeStatus>()));
            foreach ((NativeStatus status, Type type) in Table)
            {
                Exception exception = Status.ToException(status, "what happened");
                Assert.That(exception, Is.TypeOf(type), status.ToString());
                Assert.That(exception.Message, Does.StartWith("what happened"), status.ToString());
            }
        }
    }

    [Test]
    public void An_unknown_status_is_a_defect_that_names_it() =>
        Assert.That(
            Status.ToException((NativeStatus)77, "odd"),
            Is.TypeOf<DynNetException>().With.Message.Contains("77").And.Message.Contains("odd"));

    [Test]
    public void Ok_throws_nothing() => Assert.That(() => Status.Check(NativeStatus.Ok), Throws.Nothing);

    [Test]
    public void A_file_that_is_not_there_is_named() =>
        Assert.That(
            ((FileNotFoundException)Status.ToException(NativeStatus.NotFound, "gone", "/a/b")).FileName,
            Is.EqualTo("/a/b"));

    [Test]
    public void The_message_is_that_of_the_failed_call()
    {
        using var graph = new ComputationGraph();
        Expression w = graph.Constant([8, 3], 1);
        Expression x = graph.Constant([2], 1);
        Assert.That(
            () => w * x,
            Throws.TypeOf<ShapeMismatchException>().With.Message.Contains("{8,3}").And.Message.Contains("{2}"));
    }

    [Test]
    public void The_stack_trace_begins_where_the_user_called()
    {
        using var graph = new ComputationGraph();
        Expression x = graph.Constant([2], 1);
        Exception? exception = Assert.Catch(() => Ops.Pick(x, 5));
        string first = exception!.StackTrace!.Split('\n')[0];
        Assert.That(first, Does.Contain("Ops.Pick"));
    }
}
