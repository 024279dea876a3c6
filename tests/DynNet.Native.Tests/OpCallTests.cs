using System.Reflection;
using Linq = System.Linq.Expressions.Expression;

namespace DynNet.Native.Tests;

/// <summary>
/// What holds for every operation whatever it computes, called by the pattern of its parameters. The methods are found
/// by reflection, so a new operation is among them without a word here.
/// </summary>
[TestFixture]
public sealed class OpCallTests
{
    private const int Many = 3;

    private ComputationGraph _graph = null!;
    private ComputationGraph _other = null!;
    private Model _model = null!;
    private Parameter _parameter = null!;
    private LookupParameter _table = null!;

    private static readonly MethodInfo[] OpsMethods =
        [.. Results(typeof(Ops).GetMethods(BindingFlags.Public | BindingFlags.Static))];

    private static readonly MethodInfo[] GraphMethods =
        [.. Results(typeof(ComputationGraph).GetMethods(
            BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))];

    private static IEnumerable<TestCaseData> Operations => Cases(OpsMethods);

    private static IEnumerable<TestCaseData> OperationsOnSeveral =>
        Cases(OpsMethods.Where(method => OperandCount(method) > 1));

    private static IEnumerable<TestCaseData> OperationsOnSequences =>
        Cases(OpsMethods.Where(method => Sequence(method) is not null));

    private static IEnumerable<TestCaseData> Inputs => Cases(GraphMethods);

    private static IEnumerable<TestCaseData> InputsOfModels =>
        Cases(GraphMethods.Where(method => OfModel(method) is not null));

    [SetUp]
    public void MakeGraphs()
    {
        _graph = new ComputationGraph();
        _other = new ComputationGraph();
        _model = new Model();
        _parameter = _model.AddParameters([1], name: "W");
        _table = _model.AddLookupParameters(1, [1], name: "E");
    }

    [TearDown]
    public void Dispose()
    {
        _graph.Dispose();
        _other.Dispose();
        _model.Dispose();
    }

    [Test]
    public void Reflection_finds_the_operations()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(OpsMethods, Has.Length.GreaterThan(40));
            Assert.That(GraphMethods, Has.Length.GreaterThanOrEqualTo(10));
        }
    }

    [TestCaseSource(nameof(Operations))]
    public void Refuses_operands_that_were_never_made(MethodInfo method) =>
        Assert.That(() => Call(method, _ => default), Throws.TypeOf<StaleExpressionException>());

    [TestCaseSource(nameof(Operations))]
    public void Refuses_one_operand_that_was_never_made(MethodInfo method) =>
        AssertStaleInEachPlace(method, default(Expression));

    [TestCaseSource(nameof(OperationsOnSeveral))]
    public void Refuses_one_operand_of_another_graph(MethodInfo method) =>
        AssertStaleInEachPlace(method, _other.Input(1.0));

    [TestCaseSource(nameof(Operations))]
    public void Refuses_one_operand_of_before_a_renewal(MethodInfo method)
    {
        Expression old = _graph.Input(1.0);
        _graph.Renew();
        AssertStaleInEachPlace(method, old);
    }

    [TestCaseSource(nameof(Operations))]
    public void Refuses_one_operand_that_another_graph_stamped(MethodInfo method) =>
        AssertStaleInEachPlace(method, Expression.FromNative(_graph, _other.Input(1.0).ToNative()));

    [TestCaseSource(nameof(Operations))]
    public void Refuses_parameters_alone_since_they_name_no_graph(MethodInfo method) =>
        Assert.That(
            () => Call(method, _ => _parameter), Throws.TypeOf<ArgumentException>().With.Message.Contains("/W"));

    [TestCaseSource(nameof(Operations))]
    public void Says_that_the_graph_is_disposed(MethodInfo method)
    {
        Expression x = _graph.Input(1.0);
        _graph.Dispose();
        AssertDisposed(() => Call(method, _ => x), typeof(ComputationGraph));
    }

    [TestCaseSource(nameof(OperationsOnSeveral))]
    public void Says_that_the_model_of_an_operand_is_disposed(MethodInfo method)
    {
        Expression x = _graph.Input(1.0);
        _model.Dispose();
        for (int place = 0; place < OperandCount(method); place++)
            AssertDisposed(() => Call(method, i => i == place ? _parameter : x), typeof(Model));
    }

    [TestCaseSource(nameof(OperationsOnSequences))]
    public void Refuses_no_operands_and_no_sequence(MethodInfo method)
    {
        ParameterInfo sequence = Sequence(method)!;
        Assert.That(() => Invoke(method, sequence, Array.Empty<Expression>()), Throws.TypeOf<ArgumentException>());
        if (sequence.ParameterType == typeof(IEnumerable<Expression>))
            Assert.That(() => Invoke(method, sequence, null), Throws.ArgumentNullException);
    }

    [TestCaseSource(nameof(Inputs))]
    public void An_input_is_of_the_graph_that_it_was_made_in(MethodInfo method)
    {
        Expression x = Call(method, _ => throw new AssertionException("an input has no operands"));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(x.Graph, Is.SameAs(_graph));
            Assert.That(x.ToArray(), Has.Length.EqualTo(x.Dim.Size));
        }
    }

    [TestCaseSource(nameof(Inputs))]
    public void An_input_says_that_the_graph_is_disposed(MethodInfo method)
    {
        _graph.Dispose();
        AssertDisposed(() => Call(method, _ => default), typeof(ComputationGraph));
    }

    [TestCaseSource(nameof(InputsOfModels))]
    public void An_input_refuses_no_parameter_and_one_of_a_disposed_model(MethodInfo method)
    {
        Assert.That(() => Invoke(method, OfModel(method)!, null), Throws.ArgumentNullException);
        _model.Dispose();
        AssertDisposed(() => Call(method, _ => default), typeof(Model));
    }

    private static IEnumerable<MethodInfo> Results(IEnumerable<MethodInfo> methods) =>
        methods.Where(method => method.ReturnType == typeof(Expression));

    private static IEnumerable<TestCaseData> Cases(IEnumerable<MethodInfo> methods) =>
        from method in methods
        let types = method.GetParameters().Select(parameter => Name(parameter.ParameterType))
        select new TestCaseData(method).SetArgDisplayNames($"{method.Name}({string.Join(',', types)})");

    private static string Name(Type type) => type.IsGenericType
        ? $"{type.Name.Split('`')[0]}<{string.Join(',', type.GetGenericArguments().Select(Name))}>"
        : type.Name;

    private static void AssertDisposed(Action use, Type type) =>
        Assert.That(
            () => use(),
            Throws.TypeOf<ObjectDisposedException>().With.Property("ObjectName").EqualTo(type.FullName));

    private static bool IsSequence(Type type) =>
        type == typeof(ReadOnlySpan<Expression>) || type == typeof(IEnumerable<Expression>);

    private static ParameterInfo? Sequence(MethodInfo method) =>
        method.GetParameters().FirstOrDefault(parameter => IsSequence(parameter.ParameterType));

    private static ParameterInfo? OfModel(MethodInfo method) =>
        method.GetParameters().FirstOrDefault(parameter =>
            parameter.ParameterType == typeof(Parameter) || parameter.ParameterType == typeof(LookupParameter));

    private static int OperandCount(MethodInfo method) => method.GetParameters().Sum(parameter =>
        IsSequence(parameter.ParameterType) ? Many : parameter.ParameterType == typeof(Expression) ? 1 : 0);

    /// <summary>One operand is wrong, the others right: refused wherever it stands, and the graph stays usable.
    /// </summary>
    private void AssertStaleInEachPlace(MethodInfo method, Expression wrong)
    {
        int count = OperandCount(method);
        Assert.That(count, Is.GreaterThan(0));
        Expression right = _graph.Input(2.0);
        using (Assert.EnterMultipleScope())
        {
            for (int place = 0; place < count; place++)
            {
                Assert.That(
                    () => Call(method, i => i == place ? wrong : right),
                    Throws.TypeOf<StaleExpressionException>(), $"operand {place} of {count}");
            }
            Assert.That((right + 1).ScalarValue(), Is.EqualTo(3f));
        }
    }

    /// <summary>Calls a method with the given operands, and with attributes that most operations can take.</summary>
    private Expression Call(MethodInfo method, Func<int, Expression> operand)
    {
        int next = 0;
        return Invoke(method, parameter =>
            parameter.ParameterType == typeof(Expression) ? operand(next++)
            : IsSequence(parameter.ParameterType) ? Enumerable.Range(0, Many).Select(_ => operand(next++)).ToArray()
            : Attribute(parameter));
    }

    /// <summary>Calls a method with one argument given.</summary>
    private Expression Invoke(MethodInfo method, ParameterInfo given, object? argument) => Invoke(
        method,
        parameter => parameter == given ? argument
            : parameter.ParameterType == typeof(Expression) ? _graph.Input(1.0)
            : Attribute(parameter));

    // Reflection cannot pass spans; a compiled call makes them from arrays.
    private Expression Invoke(MethodInfo method, Func<ParameterInfo, object?> argument)
    {
        IEnumerable<Linq> arguments = method.GetParameters().Select(parameter =>
        {
            Type type = parameter.ParameterType;
            return type.IsByRefLike
                ? Linq.Convert(Linq.Constant(argument(parameter), type.GetGenericArguments()[0].MakeArrayType()), type)
                : (Linq)Linq.Constant(argument(parameter), type);
        });
        Linq? graph = method.IsStatic ? null : Linq.Constant(_graph);
        return Linq.Lambda<Func<Expression>>(Linq.Call(graph, method, arguments)).Compile()();
    }

    private object Attribute(ParameterInfo parameter) => parameter.ParameterType switch
    {
        // A size is at least 1; an index or a dimension may be 0.
        var type when type == typeof(int) => parameter.Name == "size" ? 1 : 0,
        var type when type == typeof(bool) => false,
        var type when type == typeof(double) => 0.5,
        var type when type == typeof(GradientMode) => GradientMode.Zero,
        var type when type == typeof(Dim) => Dim.Of(1),
        var type when type == typeof(string) => "CPU",
        var type when type == typeof(CpuDevice) => Device.Cpu,
        var type when type == typeof(ReadOnlySpan<float>) => new float[1],
        var type when type == typeof(ReadOnlySpan<int>) => new int[1],
        var type when type == typeof(Parameter) => _parameter,
        var type when type == typeof(LookupParameter) => _table,
        var type => throw new NotSupportedException(
            $"{type} is a new kind of parameter: say here what a call of its operations takes."),
    };
}
