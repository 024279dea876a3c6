namespace DynNet.Native.Interop;

/// <summary>Calls about LSTM builders. The caller keeps what it passes alive.</summary>
internal static unsafe class LstmCalls
{
    internal static LstmHandle Create(nint model, int layers, int inputDim, int hiddenDim)
    {
        nint lstm;
        Status.Check(NativeMethods.dn_lstm_create(model, layers, inputDim, hiddenDim, &lstm));
        return new LstmHandle(lstm);
    }

    internal static int StateSize(nint lstm)
    {
        int size;
        Status.Check(NativeMethods.dn_lstm_state_size(lstm, &size));
        return size;
    }

    internal static void InitialState(
        nint lstm, nint graph, ReadOnlySpan<NativeExpression> values, Span<NativeExpression> state)
    {
        fixed (NativeExpression* first = values)
        fixed (NativeExpression* result = state)
        {
            Status.Check(
                NativeMethods.dn_lstm_initial_state(lstm, graph, first, values.Length, result, state.Length));
        }
    }

    internal static void AddInput(
        nint lstm, nint graph, ReadOnlySpan<NativeExpression> state, NativeExpression x, Span<NativeExpression> next)
    {
        fixed (NativeExpression* first = state)
        fixed (NativeExpression* result = next)
        {
            Status.Check(
                NativeMethods.dn_lstm_add_input(lstm, graph, first, state.Length, x, result, next.Length));
        }
    }
}
