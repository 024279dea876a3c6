using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>
/// Gradient descent with Nesterov's momentum (Sutskever, Martens, Dahl and Hinton 2013): v = momentum * v - rate * g;
/// w += momentum * v - rate * g.
/// </summary>
/// <remarks>One thread at a time may use a trainer, and none may use its model during an update.</remarks>
public sealed class NesterovSgdTrainer : Trainer
{
    /// <summary>Makes a trainer.</summary>
    /// <param name="model">What it trains, sub-collections included.</param>
    /// <param name="learningRate">Finite, 0 or more.</param>
    /// <param name="momentum">How much of the last step goes into the next, 0 or more and less than 1.</param>
    /// <exception cref="ArgumentException">A number is out of its range.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public NesterovSgdTrainer(Model model, double learningRate = 0.01, double momentum = 0.9)
        : base(Create(model, learningRate, momentum))
    {
    }

    private static TrainerHandle Create(Model model, double learningRate, double momentum)
    {
        ArgumentNullException.ThrowIfNull(model);
        using Lease lease = model.Lease();
        return TrainerCalls.CreateNesterovSgd(lease.Pointer, learningRate, momentum);
    }
}
