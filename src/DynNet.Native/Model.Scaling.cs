using DynNet.Native.Interop;

namespace DynNet.Native;

// All values and gradients of a model at once.
public sealed partial class Model
{
    /// <summary>Sets the gradients of all parameters to 0, as an update does when it has used them.</summary>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void ResetGradients()
    {
        using Lease lease = Lease();
        Status.Check(NativeMethods.dn_model_reset_gradients(lease.Pointer));
    }

    /// <summary>Multiplies the gradients of all parameters by a number.</summary>
    /// <param name="factor">Finite.</param>
    /// <exception cref="ArgumentException">The number is not finite.</exception>
    /// <exception cref="InvalidOperationException">A backward into the model is running in another thread.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void ScaleGradients(double factor)
    {
        using Lease lease = Lease();
        Status.Check(NativeMethods.dn_model_scale_gradients(lease.Pointer, factor));
    }

    /// <summary>Multiplies the values of all parameters by a number.</summary>
    /// <param name="factor">Finite.</param>
    /// <remarks>Must not run beside anything else that uses the model.</remarks>
    /// <exception cref="ArgumentException">The number is not finite.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void ScaleValues(double factor)
    {
        using Lease lease = Lease();
        Status.Check(NativeMethods.dn_model_scale_values(lease.Pointer, factor));
    }

    /// <summary>Scales the values of all parameters so that the norm of all together is the radius.</summary>
    /// <param name="radius">Finite, more than 0.</param>
    /// <remarks>
    /// DyNet's <c>project_weights</c> is documented so, but changes nothing. Must not run beside anything else that
    /// uses the model.
    /// </remarks>
    /// <exception cref="ArgumentException">The radius is out of its range.</exception>
    /// <exception cref="InvalidOperationException">The norm is 0 or not finite; nothing was changed.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void ProjectWeights(double radius = 1)
    {
        using Lease lease = Lease();
        Status.Check(NativeMethods.dn_model_project_weights(lease.Pointer, radius));
    }

    /// <summary>
    /// Freezes or thaws every parameter and lookup parameter that the model has now, sub-collections included: see <see
    /// cref="Parameter.IsUpdated"/>.
    /// </summary>
    /// <param name="updated">Whether trainers update them from now on.</param>
    /// <remarks>Must not run beside an update.</remarks>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void SetUpdated(bool updated)
    {
        using Lease lease = Lease();
        Status.Check(NativeMethods.dn_model_set_updated(lease.Pointer, updated ? 1 : 0));
    }
}
